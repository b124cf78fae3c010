import type { LaneClaim, LaneWork } from "../../../src/model/lane.ts";
import type { TargetState } from "../../../src/model/reading.ts";
import type { Lease } from "../../../src/model/work.ts";
import { holds, targetState } from "./reading.ts";
import type { MemoryState, StoredLane } from "./state.ts";

export function claimLane(state: MemoryState, lease: Lease): LaneClaim | undefined {
  const now = state.now();
  const [lane] = [...state.lanes.values()]
    .filter(({ dueAt, leaseUntil }) =>
      leaseUntil === undefined ? dueAt !== undefined && dueAt <= now : leaseUntil <= now,
    )
    .sort((a, b) => since(a) - since(b) || (a.lane.id < b.lane.id ? -1 : 1));
  if (lane === undefined) return undefined;
  if (lane.owner !== lease.owner) lane.epoch++;
  lane.owner = lease.owner;
  lane.leaseUntil = now + lease.ms;
  lane.dueAt = undefined;
  const { epoch, lastSeenTip } = lane;
  return { lane: { ...lane.lane }, epoch, ...(lastSeenTip === undefined ? {} : { lastSeenTip }) };
}

function since({ dueAt, leaseUntil }: StoredLane): number {
  return dueAt ?? leaseUntil ?? 0;
}

export function renewLane(state: MemoryState, claim: LaneClaim, lease: Lease): boolean {
  const lane = held(state, claim);
  if (lane?.leaseUntil === undefined || lane.owner !== lease.owner) return false;
  lane.leaseUntil = state.now() + lease.ms;
  return true;
}

export function releaseLane(state: MemoryState, claim: LaneClaim, dueInMs: number | undefined): void {
  const lane = held(state, claim);
  if (lane === undefined) return;
  lane.leaseUntil = undefined;
  const isOpen = [...state.attempts.values()].some(
    ({ value, outcome }) => outcome === "open" && value.laneId === lane.lane.id,
  );
  if (dueInMs !== undefined) due(lane, state.now() + Math.round(dueInMs));
  else if (isOpen) due(lane, state.now());
  state.changed();
}

export function makeLaneDue(state: MemoryState, laneId: string): void {
  const lane = state.lanes.get(laneId);
  if (lane !== undefined) due(lane, state.now());
}

function due(lane: StoredLane, at: number): void {
  lane.dueAt = Math.min(lane.dueAt ?? at, at);
}

/** The lane, if the claim's epoch is still the lane's. */
export function held(state: MemoryState, claim: LaneClaim): StoredLane | undefined {
  const lane = state.lanes.get(claim.lane.id);
  return lane?.epoch === claim.epoch ? lane : undefined;
}

export function laneWork(state: MemoryState, claim: LaneClaim): LaneWork {
  const laneId = claim.lane.id;
  const ready = state.inOrder(
    (delivery) => delivery.laneId === laneId && (delivery.phase === "ready" || delivery.phase === "writing"),
  );
  const targetIds = [...new Set(ready.map(({ value }) => value.targetId))].sort();
  return structuredClone({
    openAttempts: [...state.attempts.values()]
      .filter(({ value, outcome }) => outcome === "open" && value.laneId === laneId)
      .map(({ value }) => value),
    ready: ready.map(({ value }) => ({ delivery: value, build: state.build(value.buildId) })),
    targets: targetIds.flatMap((id) => targetState(state, id) ?? []),
    holds: holds(state, targetIds),
    now: state.now(),
  });
}

export function standing(state: MemoryState, { lane }: LaneClaim): TargetState[] {
  const ids = [...state.targets.values()].flatMap(({ id, currentId }) => {
    const current = currentId === undefined ? undefined : state.deliveries.get(currentId);
    return current?.value.laneId === lane.id ? [id] : [];
  });
  return structuredClone(ids.sort().flatMap((id) => targetState(state, id) ?? []));
}
