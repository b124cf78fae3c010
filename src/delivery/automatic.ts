import type { Ids } from "../model/ambient.ts";
import { formatApplicationRef } from "../model/application.ts";
import { type Delivery, formatOutcome, type OutcomeReason } from "../model/delivery.ts";
import type { Observation } from "../model/observation.ts";
import type { DeliveryChange } from "../model/work.ts";
import { fieldsOf } from "./delivery-log.ts";
import { heldFor } from "./held.ts";
import type { ArgoCd, Log, Metrics, Settings, SourceHistory } from "./ports.ts";
import { REMEMBERED, rollbackInput } from "./rollback.ts";
import type { ReadStore, RollbackStore, WorkStore } from "./store-ports.ts";
import { backToBefore, backToHealthy } from "./undone.ts";

export interface AutomaticDeps {
  store: Pick<ReadStore, "targetStates" | "written" | "holds" | "build"> &
    Pick<WorkStore, "now" | "save"> &
    RollbackStore;
  argocd: Pick<ArgoCd, "sick">;
  history: SourceHistory;
  settings: () => Settings;
  ids: Ids;
  log: Log;
  metrics: Metrics;
}

/** Failures that the new version is to blame for; a time-out or a lost commit may have any cause. */
const BLAMED: ReadonlySet<OutcomeReason> = new Set(["sync", "degraded", "crashing", "render"]);
/** Promise 9. */
const BRAKE = { atMost: 3, withinMs: 600_000 };
/** So many untouched Applications at least, and so large a part of all, are more than the usual few. */
const SICK = { atLeast: 2, share: 0.01 };
const MAX_READINGS = 3;

/**
 * Stores the end of a failed delivery and, where the environment is `rollback: automatic`, in the same transaction the
 * rollback that takes it out. False when somebody was faster.
 */
export async function endFailed(
  deps: AutomaticDeps,
  { delivery, change }: { delivery: Delivery; change: DeliveryChange },
): Promise<boolean> {
  const { ending } = change;
  const target = deps.settings().target(delivery.targetId);
  const isOurs = target?.policy.rollback === "automatic" && delivery.kind !== "rollback";
  if (ending?.reason === undefined || !isOurs || !BLAMED.has(ending.reason)) return deps.store.save(delivery, change);
  const clusters = clustersOf(change.observation);
  for (let reading = 0; reading < MAX_READINGS; reading++) {
    const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
    if (state?.current?.delivery.id !== delivery.id || state.pinned !== undefined || state.overridden !== undefined) {
      return deps.store.save(delivery, change);
    }
    const written = await deps.store.written(delivery.targetId, REMEMBERED);
    const undoing = backToHealthy(written, state.lastHealthyDeliveryId);
    if (undoing === undefined) {
      return endWithout(deps, { delivery, change, result: "impossible", why: "no earlier delivery was healthy" });
    }
    const why = `${formatOutcome(ending)}: ${ending.message}`;
    const input = rollbackInput(deps, { state, written, undoing, reason: { trigger: "automatic", why, clusters } });
    const event = { kind: "rollback", message: `rollback ${input.delivery.id} takes it out` };
    const result = await deps.store.rollBack({
      ...input,
      failed: { delivery, change: { ...change, events: [...(change.events ?? []), event] } },
      brake: { ...BRAKE, clusters, ...(await untouched(deps, clusters)) },
    });
    if (result.kind === "stale") continue;
    if (result.kind === "repeat") return deps.store.save(delivery, change);
    if (result.kind === "braked") return endWithout(deps, { delivery, change, result: "braked", why: result.why });
    deps.metrics.rollback("automatic", "begun");
    deps.log.warn("a failed delivery is rolled back", { ...fieldsOf(delivery), rollback: result.delivery.id, why });
    return true;
  }
  return false;
}

/** It stays as it is, and says so: a person has to look. */
async function endWithout(
  deps: AutomaticDeps,
  input: { delivery: Delivery; change: DeliveryChange; result: "braked" | "impossible"; why: string },
): Promise<boolean> {
  const { delivery, change, result, why } = input;
  const event = { kind: `rollback-${result}`, message: `not rolled back: ${why}` };
  const saved = await deps.store.save(delivery, { ...change, events: [...(change.events ?? []), event] });
  if (!saved) return false;
  deps.metrics.rollback("automatic", result);
  deps.log.error("a failed delivery is not rolled back", { ...fieldsOf(delivery), result, why });
  return true;
}

/** Why the brake is to be pulled at once: Applications degrade that we have not touched. */
async function untouched({ store, argocd }: AutomaticDeps, clusters: readonly string[]): Promise<{ because?: string }> {
  const ours = new Set((await store.touched(BRAKE.withinMs)).map(formatApplicationRef));
  for (const cluster of clusters) {
    const { total, degraded } = await argocd.sick(cluster, BRAKE.withinMs);
    const others = degraded.filter((ref) => !ours.has(formatApplicationRef(ref)));
    if (others.length < Math.max(SICK.atLeast, total * SICK.share)) continue;
    const names = others.slice(0, 3).map(formatApplicationRef).join(", ");
    return { because: `${others.length} Applications degraded that nothing was delivered to, among them ${names}` };
  }
  return {};
}

/** The Argo CDs that said so. */
function clustersOf(observation: Observation | undefined): string[] {
  const failed = observation?.applications.filter(({ verdict }) => verdict?.state === "failed") ?? [];
  return [...new Set(failed.map(({ ref }) => ref.cluster))];
}

/**
 * What landed although a hold came while it was being pushed is taken out again (protocols.md section 3). Asked at the
 * first look only: a hold that comes later holds what is not written yet.
 */
export async function takeOutHeld(deps: AutomaticDeps, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const pushedAt = delivery.observation?.pushedAt ?? 0;
  if (delivery.kind === "rollback" || delivery.observation?.verdict !== undefined) return;
  const holds = (await deps.store.holds([delivery.targetId])).filter(({ createdAt }) => createdAt <= pushedAt);
  if (holds.length === 0) return;
  const build = await deps.store.build(delivery.buildId);
  if (build === undefined) return;
  const hold = await heldFor(deps.history, { holds, delivery, build, now: await deps.store.now() }, signal);
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  if (hold === undefined || state?.current?.delivery.id !== delivery.id || state.overridden !== undefined) return;
  const written = await deps.store.written(delivery.targetId, REMEMBERED);
  const undoing = backToBefore(written);
  if (undoing === undefined) return;
  const why = `held by ${hold.by} while it was being pushed: ${hold.why}`;
  const by = { subject: hold.by, groups: [] };
  const input = rollbackInput(deps, { state, written, undoing, reason: { trigger: "hold", by, why } });
  const result = await deps.store.rollBack({ ...input, holds: [] });
  if (result.kind !== "begun") return;
  deps.metrics.rollback("hold", "begun");
  deps.log.warn("a held delivery that landed is taken out", {
    ...fieldsOf(delivery),
    rollback: result.delivery.id,
    why,
  });
}
