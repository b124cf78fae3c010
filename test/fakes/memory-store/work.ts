import { type ApplicationRef, formatApplicationRef } from "../../../src/model/application.ts";
import type { Delivery, Phase } from "../../../src/model/delivery.ts";
import { GitspanError } from "../../../src/model/errors.ts";
import type { DeliveryChange, Lease } from "../../../src/model/work.ts";
import { makeLaneDue } from "./lanes.ts";
import { byAge, finish, type MemoryState, type StoredDelivery, touch } from "./state.ts";

export function claim(state: MemoryState, phases: readonly Phase[], limit: number, lease: Lease): Delivery[] {
  const now = state.now();
  const due = [...state.deliveries.values()]
    .filter(({ value }) => phases.includes(value.phase) && value.phase !== "done" && value.dueAt <= now)
    .filter((stored) => stored.lease === undefined || stored.lease.until <= now)
    .sort((a, b) => a.value.dueAt - b.value.dueAt || byAge(a.value, b.value))
    .slice(0, limit);
  for (const stored of due) {
    stored.lease = { owner: lease.owner, until: now + lease.ms };
    stored.woken = false;
  }
  return structuredClone(due.map(({ value }) => value));
}

export function save(state: MemoryState, known: { id: string; version: number }, change: DeliveryChange): boolean {
  const { ending } = change;
  if (ending === undefined && (change.phase === "done" || change.phase === "writing")) {
    throw new GitspanError("internal", `a delivery does not become ${change.phase} by being saved`);
  }
  const stored = state.deliveries.get(known.id);
  if (stored === undefined || stored.value.version !== known.version) return false;
  const { phase, targetId, laneId } = stored.value;
  if (phase === "writing" || phase === "done") return false;
  for (const event of change.events ?? []) state.record(known.id, structuredClone(event));
  if (change.trust !== undefined) stored.value.trust = structuredClone(change.trust);
  if (change.observation !== undefined) stored.value.observation = structuredClone(change.observation);
  if (ending !== undefined) {
    finish(state, stored, ending);
    if (ending.outcome === "healthy") {
      const target = state.target(targetId);
      target.lastHealthyDeliveryId = known.id;
      target.version++;
    }
  } else {
    move(state, stored, change);
    if (change.phase === "ready" && phase !== "ready") makeLaneDue(state, laneId);
  }
  stored.woken = false;
  state.changed();
  return true;
}

function move(state: MemoryState, stored: StoredDelivery, change: DeliveryChange): void {
  const { value } = stored;
  const dueAt =
    change.dueInMs === undefined ? value.dueAt : state.now() + (stored.woken ? 0 : Math.round(change.dueInMs));
  touch(state, stored, {
    phase: change.phase,
    waitReason: change.phase === "waiting" ? (change.waitReason ?? value.waitReason) : undefined,
    message: change.message ?? (change.phase === value.phase ? value.message : undefined),
    dueAt,
  });
}

export function expedite(state: MemoryState, application: ApplicationRef): void {
  const name = formatApplicationRef(application);
  wake(
    state,
    state.inOrder(({ phase, observation }) => {
      const watched = observation?.applications.map(({ ref }) => formatApplicationRef(ref)) ?? [];
      return phase === "following" && watched.includes(name);
    }),
  );
}

export function wakeWaiting(state: MemoryState, targetId: string): void {
  wake(
    state,
    state.inOrder((delivery) => delivery.phase === "waiting" && delivery.targetId === targetId),
  );
}

function wake(state: MemoryState, found: readonly StoredDelivery[]): void {
  for (const stored of found) {
    stored.value.dueAt = Math.min(stored.value.dueAt, state.now());
    stored.woken = true;
  }
  state.changed();
}
