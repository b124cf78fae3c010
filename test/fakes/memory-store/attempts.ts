import type { Delivery } from "../../../src/model/delivery.ts";
import { heldBy } from "../../../src/model/hold.ts";
import type { AttemptInput, AttemptItem, AttemptResult, Foreign, LaneClaim } from "../../../src/model/lane.ts";
import { held } from "./lanes.ts";
import { holds, written } from "./reading.ts";
import { putHold } from "./rollbacks.ts";
import { finish, type MemoryState, type StoredTarget, touch } from "./state.ts";

type Guarded = Omit<AttemptInput, "head">;
type Named = { id: string; laneId: string };

export function beginAttempt(state: MemoryState, input: AttemptInput): AttemptResult {
  const result = check(state, input);
  if (result.kind !== "begun" || input.items.length === 0) return result;
  const { id, claim, base, head } = input;
  const items = structuredClone(input.items.map(itemOf));
  const value = { id, laneId: claim.lane.id, epoch: claim.epoch, base, head, items, createdAt: state.now() };
  state.attempts.set(id, { value, outcome: "open" });
  recordWarnings(state, input);
  for (const { deliveryId, commit } of items) {
    const stored = state.deliveries.get(deliveryId);
    if (stored === undefined) continue;
    touch(state, stored, { phase: "writing", waitReason: undefined, message: undefined, dueAt: state.now() });
    const message = `commit ${commit} is being pushed`;
    state.record(deliveryId, { kind: "writing", message, data: { attempt: id, base, commit } });
  }
  state.changed();
  return result;
}

export function adopt(state: MemoryState, input: Guarded): AttemptResult {
  const result = check(state, input);
  if (result.kind !== "begun") return result;
  recordWarnings(state, input);
  land(state, structuredClone(input.items.map(itemOf)), "adopted");
  state.changed();
  return result;
}

function recordWarnings(state: MemoryState, { items }: Guarded): void {
  for (const { deliveryId, warnings = [] } of items) {
    for (const message of warnings) state.record(deliveryId, { kind: "warning", message });
  }
}

function check(state: MemoryState, input: Guarded): AttemptResult {
  const lane = held(state, input.claim);
  const now = state.now();
  if (lane?.leaseUntil === undefined || lane.leaseUntil <= now) return { kind: "lane-lost" };
  const isRefused = (item: Guarded["items"][number]): boolean => {
    const target = state.targets.get(item.targetId);
    const delivery = state.deliveries.get(item.deliveryId)?.value;
    if (target === undefined || delivery === undefined) return true;
    if (target.version !== item.targetVersion || target.pinned !== undefined) return true;
    if (delivery.version !== item.deliveryVersion || delivery.expireAt <= now) return true;
    if (delivery.phase !== "ready" && delivery.phase !== "writing") return true;
    if (delivery.targetId !== item.targetId || delivery.laneId !== lane.lane.id) return true;
    return heldBy(holds(state, [item.targetId]), delivery, now) !== undefined;
  };
  const refused = input.items.filter(isRefused).map((item) => item.deliveryId);
  if (refused.length === 0) lane.lastSeenTip = input.base;
  return refused.length === 0 ? { kind: "begun" } : { kind: "refused", deliveryIds: refused };
}

export function attemptLanded(state: MemoryState, { id, laneId }: Named): void {
  const attempt = state.attempts.get(id);
  if (attempt === undefined || attempt.outcome !== "open" || attempt.value.laneId !== laneId) return;
  attempt.outcome = "landed";
  land(state, structuredClone(attempt.value.items), "landed");
  state.changed();
}

export function attemptDead(state: MemoryState, { id, laneId }: Named, why: string): void {
  const attempt = state.attempts.get(id);
  if (attempt === undefined || attempt.outcome !== "open" || attempt.value.laneId !== laneId) return;
  attempt.outcome = "dead";
  const open = [...state.attempts.values()].filter(
    ({ outcome, value }) => outcome === "open" && value.laneId === laneId,
  );
  const elsewhere = new Set(open.flatMap(({ value }) => value.items.map((item) => item.deliveryId)));
  for (const { deliveryId } of attempt.value.items) {
    const stored = state.deliveries.get(deliveryId);
    if (elsewhere.has(deliveryId) || stored?.value.phase !== "writing") continue;
    touch(state, stored, { phase: "ready", message: undefined, dueAt: state.now() });
    state.record(deliveryId, { kind: "ready", message: `the push did not land: ${why}`, data: { attempt: id } });
  }
  state.changed();
}

function land(state: MemoryState, items: readonly AttemptItem[], kind: "landed" | "adopted"): void {
  for (const { deliveryId, targetId, commit, images, observation } of items) {
    const stored = state.deliveries.get(deliveryId);
    const phase = stored?.value.phase;
    if (stored === undefined || (phase !== "writing" && (phase !== "ready" || kind === "landed"))) continue;
    const now = state.now();
    touch(state, stored, {
      phase: "following",
      waitReason: undefined,
      message: undefined,
      commit,
      ...(images && { images }),
      observation: { ...observation, pushedAt: now },
      dueAt: now,
    });
    const message = kind === "landed" ? `commit ${commit} is on the branch` : `commit ${commit} holds it already`;
    state.record(deliveryId, { kind, message, data: { commit } });
    takeOut(state, stored.value, commit);
    const older = state.inOrder(
      (one) => one.phase === "following" && one.targetId === targetId && one.id !== deliveryId,
    );
    const superseded = `delivery ${deliveryId} brought commit ${commit}`;
    for (const one of older) finish(state, one, { outcome: "superseded", message: superseded });
    const target = state.target(targetId);
    target.currentId = deliveryId;
    const { undoes = [], restores } = stored.value.rollback ?? {};
    if (undoes.includes(target.lastHealthyDeliveryId ?? "")) {
      delete target.lastHealthyDeliveryId;
      if (restores !== undefined) target.lastHealthyDeliveryId = restores;
    }
    delete target.overridden;
    target.version++;
  }
}

function takeOut(state: MemoryState, { id, rollback }: Delivery, commit: string): void {
  const message = `rollback ${id} took it out in ${commit}`;
  for (const undone of rollback?.undoes ?? []) {
    const stored = state.deliveries.get(undone);
    if (stored === undefined) continue;
    if (stored.value.revertedBy === undefined) {
      touch(state, stored, { revertedBy: commit });
      state.record(undone, { kind: "rolled-back", message, data: { rollback: id, commit } });
    }
    if (stored.value.phase === "following") {
      finish(state, stored, { outcome: "overridden", reason: "reverted", message });
    }
  }
}

export function examined(state: MemoryState, claim: LaneClaim, tip: string, foreign: readonly Foreign[]): boolean {
  const lane = held(state, claim);
  if (lane === undefined) return false;
  lane.lastSeenTip = tip;
  for (const one of foreign) {
    const target = state.target(one.targetId);
    if (one.kind === "restored") storeRestored(state, target, one);
    else if (state.deliveries.get(one.deliveryId)?.value.revertedBy !== one.commit) storeForeign(state, target, one);
  }
  if (foreign.length > 0) state.changed();
  return true;
}

function storeRestored(state: MemoryState, target: StoredTarget, one: Foreign): void {
  const stored = state.deliveries.get(one.deliveryId);
  if (stored === undefined || target.overridden === undefined) return;
  touch(state, stored, { revertedBy: undefined });
  state.record(one.deliveryId, { kind: one.kind, message: one.message, data: { commit: one.commit } });
  delete target.overridden;
  target.version++;
}

function storeForeign(state: MemoryState, target: StoredTarget, one: Foreign): void {
  const { message, holds } = one;
  const kind = one.kind === "changed" ? "changed" : "reverted";
  for (const { deliveryId, commit } of [...(one.also ?? []), one]) {
    const stored = state.deliveries.get(deliveryId);
    if (stored === undefined || stored.value.revertedBy === commit) continue;
    touch(state, stored, { revertedBy: commit });
    state.record(deliveryId, { kind, message, data: { commit } });
    if (stored.value.phase === "following") finish(state, stored, { outcome: "overridden", reason: kind, message });
  }
  if (kind === "reverted") forgetHealthy(state, target);
  target.overridden = { kind, commit: one.commit };
  for (const hold of holds ?? []) putHold(state, hold);
  if (kind === "reverted" && holds === undefined) target.pinned = { by: "git", why: message };
  target.version++;
}

function forgetHealthy(state: MemoryState, target: StoredTarget): void {
  if (state.deliveries.get(target.lastHealthyDeliveryId ?? "")?.value.revertedBy === undefined) return;
  const left = written(state, target.id, Number.POSITIVE_INFINITY).find(
    ({ delivery }) => delivery.outcome === "healthy" && delivery.revertedBy === undefined,
  );
  delete target.lastHealthyDeliveryId;
  if (left !== undefined) target.lastHealthyDeliveryId = left.delivery.id;
}

function itemOf({ deliveryId, targetId, commit, images, observation }: AttemptInput["items"][number]): AttemptItem {
  return { deliveryId, targetId, commit, ...(images && { images }), observation };
}
