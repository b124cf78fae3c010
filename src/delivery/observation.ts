import type { ApplicationSnapshot } from "../model/application.ts";
import type { Baseline } from "../model/observation.ts";

/** What has to be known of an Application before a push, so that old trouble is not blamed on the new commit. */
export function baselineOf(snapshot: ApplicationSnapshot): Baseline {
  return {
    health: snapshot.health,
    conditions: snapshot.conditions.map((condition) => condition.type),
    summaryImages: snapshot.summaryImages,
    degraded: snapshot.resources
      .filter((resource) => resource.health === "Degraded")
      .map((resource) => `${resource.kind}/${resource.namespace}/${resource.name}`),
    finishedAt: snapshot.operation?.finishedAt,
  };
}
