import type { Delivery } from "../../../src/model/delivery.ts";
import type { Hold, NewHold } from "../../../src/model/hold.ts";
import type { RollbackInput, RollbackResult } from "../../../src/model/rollback.ts";
import type { MemoryState } from "./state.ts";

export function rollBack(state: MemoryState, input: RollbackInput): RollbackResult {
  const { delivery, rollback } = input;
  const [known] = state.inOrder(
    (one) => one.rollback?.reverts === rollback.reverts && (one.phase !== "done" || one.commit !== undefined),
  );
  if (known !== undefined) return structuredClone({ kind: "repeat", delivery: known.value });
  const target = state.targets.get(delivery.targetId);
  if (target?.currentId !== rollback.reverts || target.version !== input.targetVersion) return { kind: "stale" };
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

export function putHold(state: MemoryState, { buildId, ...hold }: NewHold): Hold {
  const stored: Hold = {
    ...hold,
    ...(buildId === undefined ? {} : { build: state.build(buildId) }),
    createdAt: state.now(),
  };
  state.holds.set(hold.id, stored);
  return stored;
}
