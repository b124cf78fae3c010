import type { NewDelivery } from "../model/acceptance.ts";
import type { Caller } from "../model/access.ts";
import type { Ids } from "../model/ambient.ts";
import type { Build, BuildReport } from "../model/build.ts";
import type { Delivery, Ending } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import { laneOf } from "../model/target.ts";
import type { Match, Metrics, Settings, Trust } from "./ports.ts";
import { withDigests } from "./resolve-tags.ts";
import type { IntakeStore } from "./store-ports.ts";

export interface AcceptDeps {
  store: IntakeStore;
  ids: Ids;
  trust: Pick<Trust, "covers" | "digestOf">;
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
 * Stores a build with one delivery for each target it is for. A tag without a digest is taken for what it names now, where
 * its registry is configured. When this resolves, everything is durable.
 * Errors: `no-target`, `forbidden`, `idempotency-mismatch`, `store-unavailable`, those of a registry.
 */
export async function accept(deps: AcceptDeps, request: AcceptRequest, signal: AbortSignal): Promise<Accepted> {
  const settings = deps.settings();
  const { caller } = request;
  const { matches, misses } = settings.match(request.report);
  if (matches.length === 0) throw noTarget(request.report, misses);
  const isAllowed = ({ target: { app, environment } }: Match) =>
    settings.allows(caller, { action: "deliver", app, environment });
  const allowed = matches.filter(isAllowed);
  if (allowed.length === 0) throw forbidden(caller, matches);

  const wanted = new Set(allowed.flatMap(({ images }) => images.map(({ repository }) => repository)));
  const { report, missing } = await withDigests(deps.trust, { report: request.report, wanted }, signal);
  const deliveries = settings.match(report).matches.map((match) => {
    const ending = isAllowed(match) ? noDigest(match, missing) : mayNot(caller, match);
    return newDelivery(deps.ids.uuid(), match, ending);
  });
  const result = await deps.store.accept({
    buildId: deps.ids.uuid(),
    report,
    subject: caller.subject,
    groups: [...caller.groups],
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

function newDelivery(id: string, { target, images }: Match, ending: Ending | undefined): NewDelivery {
  return {
    id,
    kind: "build",
    targetId: target.id,
    app: target.app,
    environment: target.environment,
    lane: laneOf(target),
    images,
    expireAfterMs: target.policy.expireAfterMs,
    ...(ending && { ending }),
  };
}

function mayNot({ subject }: Caller, { target: { app, environment } }: Match): Ending {
  return { outcome: "rejected", reason: "forbidden", message: `${subject} may not deliver ${app} to ${environment}` };
}

function noDigest({ images }: Match, missing: ReadonlySet<string>): Ending | undefined {
  const image = images.find(({ repository }) => missing.has(repository));
  if (image === undefined) return undefined;
  const message = `the registry has no ${image.repository}:${image.tag ?? ""}`;
  return { outcome: "rejected", reason: "no-digest", message };
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
