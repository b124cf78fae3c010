import type { ApplicationRef } from "../../../src/model/application.ts";
import type { Delivery } from "../../../src/model/delivery.ts";
import type { Hold, NewHold } from "../../../src/model/hold.ts";
import type { Brake, BrakeRule, RollbackInput, RollbackResult } from "../../../src/model/rollback.ts";
import type { MemoryState } from "./state.ts";
import { save } from "./work.ts";

export function rollBack(state: MemoryState, input: RollbackInput): RollbackResult {
  const { delivery, rollback, brake, failed } = input;
  const why = brake && pullBrake(state, brake);
  if (why !== undefined) return { kind: "braked", why };
  const [known] = state.inOrder(
    (one) => one.rollback?.reverts === rollback.reverts && (one.phase !== "done" || one.commit !== undefined),
  );
  if (known !== undefined) return structuredClone({ kind: "repeat", delivery: known.value });
  const target = state.targets.get(delivery.targetId);
  if (target?.currentId !== rollback.reverts || target.version !== input.targetVersion) return { kind: "stale" };
  if (failed !== undefined && !save(state, failed.delivery, failed.change)) return { kind: "stale" };
  const now = state.now();
  const value: Delivery = {
    ...structuredClone(delivery),
    kind: "rollback",
    rollback: structuredClone(rollback),
    phase: "received",
    version: 1,
    dueAt: now,
    expireAt: now + Math.round(input.expireAfterMs),
    createdAt: now,
    updatedAt: now,
  };
  state.deliveries.set(value.id, { value, woken: false });
  target.version++;
  for (const hold of input.holds) putHold(state, hold);
  const message = `takes out ${rollback.undoes.join(", ")}: ${rollback.why}`;
  state.record(value.id, { kind: "received", message, data: { trigger: rollback.trigger } });
  state.changed();
  return structuredClone({ kind: "begun", delivery: value });
}

function pullBrake(state: MemoryState, { clusters, atMost, withinMs, because }: BrakeRule): string | undefined {
  const now = state.now();
  for (const cluster of [...new Set(clusters)].sort()) {
    const pulled = brakes(state).find((one) => one.cluster === cluster)?.why;
    const fired = state.inOrder(
      ({ rollback, createdAt }) =>
        rollback?.trigger === "automatic" &&
        rollback.clusters?.includes(cluster) === true &&
        createdAt > now - withinMs,
    ).length;
    const tooMany = `${fired} automatic rollbacks within ${withinMs / 60_000} minutes on Argo CD ${cluster}`;
    const why = pulled ?? because ?? (fired >= atMost ? tooMany : undefined);
    if (why === undefined) continue;
    state.brakes.set(cluster, { cluster, why, until: now + withinMs });
    return why;
  }
  return undefined;
}

/** In force now. */
export function brakes(state: MemoryState): Brake[] {
  return [...state.brakes.values()].filter(({ until }) => until > state.now());
}

export function touched(state: MemoryState, withinMs: number): ApplicationRef[] {
  const since = state.now() - withinMs;
  return state
    .inOrder((one) => one.commit !== undefined && (one.phase === "following" || one.updatedAt > since))
    .flatMap(({ value }) => value.observation?.applications.map(({ ref }) => ref) ?? []);
}

export function putHold(state: MemoryState, { buildId, ...hold }: NewHold): Hold {
  const stored: Hold = {
    ...hold,
    ...(buildId === undefined ? {} : { build: state.build(buildId) }),
    createdAt: state.now(),
  };
  state.holds.set(hold.id, stored);
  return stored;
}
