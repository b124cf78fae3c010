import type { ApplicationSnapshot } from "./application.ts";
import type { Baseline } from "./observation.ts";

const FAILED: ReadonlySet<string> = new Set(["Failed", "Error"]);

/** What has to be known of an Application before a push, so that old trouble is not blamed on the new commit. */
export function baselineOf(snapshot: ApplicationSnapshot): Baseline {
  const { health, conditions, summaryImages, resources, operation } = snapshot;
  const baseline: Baseline = {
    health,
    conditions: conditions.map(({ type }) => type),
    summaryImages,
    degraded: resources.filter((resource) => resource.health === "Degraded").map(resourceName),
  };
  if (operation?.finishedAt !== undefined) baseline.finishedAt = operation.finishedAt;
  if (operation !== undefined && FAILED.has(operation.phase)) baseline.failedSync = operation.message;
  return baseline;
}

/** `Deployment/shop/checkout` */
export function resourceName(resource: { kind: string; namespace: string; name: string }): string {
  return `${resource.kind}/${resource.namespace}/${resource.name}`;
}
