import type { NewDelivery } from "../model/acceptance.ts";
import type { Caller } from "../model/access.ts";
import type { Ids } from "../model/ambient.ts";
import type { Build, BuildReport } from "../model/build.ts";
import type { Delivery } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import { laneOf } from "../model/target.ts";
import type { Match, Metrics, Settings } from "./ports.ts";
import type { IntakeStore } from "./store-ports.ts";

export interface AcceptDeps {
  store: IntakeStore;
  ids: Ids;
  settings: () => Settings;
  metrics: Metrics;
}

export interface AcceptRequest {
  report: BuildReport;
  caller: Caller;
  /** `Idempotency-Key` and the hash of the body it came with. */
  idempotency?: { key: string; bodyHash: string };
}

export interface Accepted {
  kind: "accepted" | "repeat";
  build: Build;
  deliveries: Delivery[];
}

/**
 * Stores a build with one delivery for each target it is for. When this resolves, everything is durable.
 * Errors: `no-target`, `forbidden`, `idempotency-mismatch`, `store-unavailable`.
 */
export async function accept(deps: AcceptDeps, request: AcceptRequest): Promise<Accepted> {
  const settings = deps.settings();
  const { matches, misses } = settings.match(request.report);
  if (matches.length === 0) throw noTarget(request.report, misses);

  const deliveries = matches.map((match) => newDelivery(deps, request.caller, settings, match));
  if (deliveries.every((delivery) => delivery.ending !== undefined)) throw forbidden(request.caller, matches);

  const result = await deps.store.accept({
    buildId: deps.ids.uuid(),
    report: request.report,
    subject: request.caller.subject,
    groups: [...request.caller.groups],
    idempotency: request.idempotency,
    deliveries,
  });
  if (result.kind === "idempotency-mismatch") {
    throw new GitspanError("idempotency-mismatch", "this Idempotency-Key was used before with another body", {
      hint: "Send the same body again, or use a new key for a new build.",
    });
  }
  deps.metrics.buildAccepted(result.kind);
  return result;
}

function newDelivery(deps: AcceptDeps, caller: Caller, settings: Settings, match: Match): NewDelivery {
  const { target, images } = match;
  const allowed = settings.allows(caller, { action: "deliver", app: target.app, environment: target.environment });
  return {
    id: deps.ids.uuid(),
    kind: "build",
    targetId: target.id,
    app: target.app,
    environment: target.environment,
    lane: laneOf(target),
    images,
    expireAfterMs: target.policy.expireAfterMs,
    ...(allowed
      ? {}
      : {
          ending: {
            outcome: "rejected",
            reason: "forbidden",
            message: `${caller.subject} may not deliver ${target.app} to ${target.environment}`,
          },
        }),
  };
}

function noTarget(report: BuildReport, misses: readonly string[]): GitspanError {
  const images = report.artifacts.map((artifact) => artifact.repository).join(", ");
  const detail = misses.length === 0 ? "no app of the configuration has one of these images" : misses.join("; ");
  return new GitspanError("no-target", `no target for ${images}: ${detail}`, {
    hint: "Add the image to an app of the configuration, or deliver from a branch or tag that its `from` allows.",
  });
}

function forbidden(caller: Caller, matches: readonly Match[]): GitspanError {
  const targets = matches.map((match) => match.target.id).join(", ");
  return new GitspanError("forbidden", `${caller.subject} may not deliver to ${targets}`, {
    hint: "Add an access rule with the action `deliver` for this subject, app and environment.",
  });
}
