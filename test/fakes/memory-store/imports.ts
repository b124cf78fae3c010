import type { Delivery } from "../../../src/model/delivery.ts";
import type { ImportedTarget } from "../../../src/model/import.ts";
import type { LaneClaim } from "../../../src/model/lane.ts";
import { held } from "./lanes.ts";
import { putHold } from "./rollbacks.ts";
import { doneEvent, type MemoryState } from "./state.ts";

const ENDING = {
  outcome: "cancelled",
  reason: "closed",
  message: "read from the history of the branch; what became of it is not known here",
} as const;

export function imported(state: MemoryState, claim: LaneClaim, input: ImportedTarget): boolean {
  const lane = held(state, claim);
  const now = state.now();
  if (lane?.leaseUntil === undefined || lane.leaseUntil <= now) return false;
  const target = state.targets.get(input.targetId);
  if (target?.version !== input.targetVersion || target.currentId !== undefined) return false;
  const { app, environment, targetId, overridden, pin } = structuredClone(input);
  for (const { build, ...delivery } of structuredClone(input.deliveries).toReversed()) {
    const createdAt = delivery.observation.pushedAt;
    state.builds.set(build.id, { ...build.report, id: build.id, subject: "git", groups: [], createdAt });
    if (state.deliveries.has(delivery.id)) continue;
    const value: Delivery = {
      ...delivery,
      buildId: build.id,
      targetId,
      app,
      environment,
      laneId: input.lane.id,
      phase: "done",
      ...ENDING,
      version: 1,
      dueAt: now,
      expireAt: now,
      createdAt,
      updatedAt: now,
    };
    state.deliveries.set(value.id, { value, woken: false });
    const { commit } = delivery;
    state.record(value.id, { kind: "imported", message: `commit ${commit} names it`, data: { commit } });
    state.record(value.id, doneEvent(ENDING));
  }
  const [newest] = input.deliveries;
  if (newest !== undefined) target.currentId = newest.id;
  if (overridden !== undefined) target.overridden = overridden;
  if (pin !== undefined) target.pinned = pin;
  for (const hold of input.holds) putHold(state, hold);
  target.version++;
  state.changed();
  return true;
}
