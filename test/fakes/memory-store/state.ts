import type { Clock } from "../../../src/model/ambient.ts";
import type { Build } from "../../../src/model/build.ts";
import type { Delivery, DeliveryEvent, Ending, NewEvent } from "../../../src/model/delivery.ts";
import type { Hold } from "../../../src/model/hold.ts";
import type { Attempt } from "../../../src/model/lane.ts";
import type { TargetState } from "../../../src/model/reading.ts";
import type { Brake } from "../../../src/model/rollback.ts";
import type { Lane } from "../../../src/model/target.ts";

export interface StoredLease {
  owner: string;
  until: number;
}

export interface StoredDelivery {
  value: Delivery;
  lease?: StoredLease | undefined;
  /** Somebody asked for an earlier look since it was claimed. */
  woken: boolean;
}

export interface StoredTarget extends Omit<TargetState, "current"> {
  currentId?: string;
}

export interface StoredLane {
  lane: Lane;
  epoch: number;
  owner?: string;
  leaseUntil?: number | undefined;
  dueAt?: number | undefined;
  lastSeenTip?: string;
}

export interface StoredAttempt {
  value: Attempt;
  outcome: "open" | "landed" | "dead";
}

export interface StoredToken {
  name: string;
  hash: string;
  groups: string[];
  expiresAt?: number;
  isRevoked: boolean;
}

/** All tables; every function that changes them is synchronous and so atomic. */
export class MemoryState {
  readonly clock: Clock;
  readonly builds = new Map<string, Build>();
  readonly identities = new Map<string, string>();
  readonly keys = new Map<string, { bodyHash: string; buildId: string }>();
  readonly deliveries = new Map<string, StoredDelivery>();
  readonly events: DeliveryEvent[] = [];
  readonly targets = new Map<string, StoredTarget>();
  readonly lanes = new Map<string, StoredLane>();
  readonly attempts = new Map<string, StoredAttempt>();
  readonly holds = new Map<string, Hold>();
  readonly brakes = new Map<string, Brake>();
  readonly tokens: StoredToken[] = [];
  readonly waiters = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    return Math.floor(this.clock.now());
  }

  record(deliveryId: string, event: NewEvent): void {
    const { kind, message, data } = event;
    this.events.push({
      id: this.events.length + 1,
      deliveryId,
      at: this.now(),
      kind,
      message,
      ...(data === undefined ? {} : { data }),
    });
  }

  changed(): void {
    for (const wake of this.waiters) wake();
  }

  /** The target, made when it is not there. */
  target(id: string): StoredTarget {
    const known = this.targets.get(id);
    if (known !== undefined) return known;
    const fresh: StoredTarget = { id, since: this.now(), version: 1 };
    this.targets.set(id, fresh);
    return fresh;
  }

  build(id: string): Build {
    const build = this.builds.get(id);
    if (build === undefined) throw new Error(`no build ${id}`);
    return build;
  }

  /** Oldest first. */
  inOrder(matches: (delivery: Delivery) => boolean): StoredDelivery[] {
    return [...this.deliveries.values()].filter(({ value }) => matches(value)).sort((a, b) => byAge(a.value, b.value));
  }
}

export function byAge(a: { createdAt: number; id: string }, b: { createdAt: number; id: string }): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

/** Every write of a delivery: a new version, no lease. */
export function touch(state: MemoryState, stored: StoredDelivery, change: Partial<Delivery>): void {
  stored.value = { ...stored.value, ...change, version: stored.value.version + 1, updatedAt: state.now() };
  stored.lease = undefined;
}

export function finish(state: MemoryState, stored: StoredDelivery, ending: Ending): void {
  const { outcome, reason, message } = ending;
  touch(state, stored, { phase: "done", waitReason: undefined, outcome, reason, message });
  state.record(stored.value.id, doneEvent(ending));
}

export function doneEvent({ outcome, reason, message }: Ending): NewEvent {
  return { kind: "done", message, data: reason === undefined ? { outcome } : { outcome, reason } };
}
