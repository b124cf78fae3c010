import type {
  HoldStore,
  IntakePositionStore,
  IntakeStore,
  LaneStore,
  ReadStore,
  RollbackStore,
  TokenStore,
  WorkStore,
} from "../../src/delivery/store-ports.ts";
import type { AcceptInput, AcceptResult } from "../../src/model/acceptance.ts";
import type { Clock } from "../../src/model/ambient.ts";
import type { ApplicationRef } from "../../src/model/application.ts";
import type { Build } from "../../src/model/build.ts";
import type { Delivery, DeliveryEvent, Phase } from "../../src/model/delivery.ts";
import type { Hold, NewHold } from "../../src/model/hold.ts";
import type { ImportedTarget } from "../../src/model/import.ts";
import type { IntakePosition } from "../../src/model/intake-position.ts";
import type { AttemptInput, AttemptResult, Foreign, LaneClaim, LaneWork } from "../../src/model/lane.ts";
import type { DeliveryCount, DeliveryFilter, FeedPage, Page, TargetState } from "../../src/model/reading.ts";
import type { Brake, RollbackInput, RollbackResult } from "../../src/model/rollback.ts";
import type { DeliveryChange, Lease } from "../../src/model/work.ts";
import * as attempts from "./memory-store/attempts.ts";
import { imported } from "./memory-store/imports.ts";
import { accept } from "./memory-store/intake.ts";
import * as lanes from "./memory-store/lanes.ts";
import * as reading from "./memory-store/reading.ts";
import * as rollbacks from "./memory-store/rollbacks.ts";
import { MemoryState } from "./memory-store/state.ts";
import * as work from "./memory-store/work.ts";

type Store = IntakeStore &
  ReadStore &
  WorkStore &
  LaneStore &
  HoldStore &
  RollbackStore &
  TokenStore &
  IntakePositionStore;

/**
 * The store as plain maps: deterministic, its database time is the clock's. Every method changes everything it
 * changes in one synchronous step, as a transaction would.
 */
export class MemoryStore implements Store {
  readonly #state: MemoryState;
  readonly #positions = new Map<string, IntakePosition>();

  constructor(deps: { clock: Clock }) {
    this.#state = new MemoryState(deps.clock);
  }

  /** Every delivery has its outcome. */
  isAtRest(): boolean {
    return [...this.#state.deliveries.values()].every(({ value }) => value.phase === "done");
  }

  async accept(input: AcceptInput): Promise<AcceptResult> {
    return accept(this.#state, input);
  }

  async build(id: string): Promise<Build | undefined> {
    return structuredClone(this.#state.builds.get(id));
  }

  async delivery(id: string): Promise<Delivery | undefined> {
    return structuredClone(this.#state.deliveries.get(id)?.value);
  }

  async deliveries(filter: DeliveryFilter): Promise<Page<Delivery>> {
    return reading.deliveries(this.#state, filter);
  }

  async events(deliveryId: string): Promise<DeliveryEvent[]> {
    return structuredClone(this.#state.events.filter((event) => event.deliveryId === deliveryId));
  }

  async written(targetId: string, limit: number): Promise<{ delivery: Delivery; build: Build }[]> {
    return reading.written(this.#state, targetId, limit);
  }

  async eventsAfter(after: number | undefined, limit: number): Promise<FeedPage> {
    return reading.eventsAfter(this.#state, after, limit);
  }

  async countDeliveries(): Promise<DeliveryCount[]> {
    return reading.countDeliveries(this.#state);
  }

  /** Nothing was ever stored, tokens aside. */
  isEmpty(): boolean {
    const { builds, deliveries, events, keys, targets, lanes, holds } = this.#state;
    return [builds, deliveries, keys, targets, lanes, holds].every(({ size }) => size === 0) && events.length === 0;
  }

  async targetStates(ids: readonly string[]): Promise<Map<string, TargetState>> {
    const states = ids.flatMap((id) => reading.targetState(this.#state, id) ?? []);
    return new Map(states.map((state) => [state.id, state]));
  }

  async targetIds(): Promise<string[]> {
    return [...this.#state.targets.keys()];
  }

  async allHolds(): Promise<Hold[]> {
    return reading.holds(this.#state, [...this.#state.targets.keys()]);
  }

  async holds(targetIds: readonly string[]): Promise<Hold[]> {
    return reading.holds(this.#state, targetIds);
  }

  async waitForChange(timeoutMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { clock, waiters } = this.#state;
    const over = new AbortController();
    const woken = Promise.withResolvers<void>();
    waiters.add(woken.resolve);
    try {
      await Promise.race([woken.promise, clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal]))]);
    } finally {
      waiters.delete(woken.resolve);
      over.abort();
    }
  }

  async now(): Promise<number> {
    return this.#state.now();
  }

  async claim(phases: readonly Phase[], limit: number, lease: Lease): Promise<Delivery[]> {
    return work.claim(this.#state, phases, limit, lease);
  }

  async save(delivery: { id: string; version: number }, change: DeliveryChange): Promise<boolean> {
    return work.save(this.#state, delivery, change);
  }

  async pending(targetId: string): Promise<{ delivery: Delivery; build: Build }[]> {
    const found = this.#state.inOrder(
      (one) => one.targetId === targetId && one.phase !== "done" && one.phase !== "following",
    );
    return structuredClone(found.map(({ value }) => ({ delivery: value, build: this.#state.build(value.buildId) })));
  }

  async expedite(application: ApplicationRef): Promise<void> {
    work.expedite(this.#state, application);
  }

  async claimLane(lease: Lease): Promise<LaneClaim | undefined> {
    return lanes.claimLane(this.#state, lease);
  }

  async renewLane(claim: LaneClaim, lease: Lease): Promise<boolean> {
    return lanes.renewLane(this.#state, claim, lease);
  }

  async releaseLane(claim: LaneClaim, dueInMs?: number): Promise<void> {
    lanes.releaseLane(this.#state, claim, dueInMs);
  }

  async wakeLane(laneId: string): Promise<void> {
    lanes.makeLaneDue(this.#state, laneId);
    this.#state.changed();
  }

  async standing(claim: LaneClaim): Promise<TargetState[]> {
    return lanes.standing(this.#state, claim);
  }

  async laneWork(claim: LaneClaim): Promise<LaneWork> {
    return lanes.laneWork(this.#state, claim);
  }

  async beginAttempt(input: AttemptInput): Promise<AttemptResult> {
    return attempts.beginAttempt(this.#state, input);
  }

  async attemptLanded(attempt: { id: string; laneId: string }): Promise<void> {
    attempts.attemptLanded(this.#state, attempt);
  }

  async attemptDead(attempt: { id: string; laneId: string }, why: string): Promise<void> {
    attempts.attemptDead(this.#state, attempt, why);
  }

  async adopt(input: Omit<AttemptInput, "head">): Promise<AttemptResult> {
    return attempts.adopt(this.#state, input);
  }

  async examined(claim: LaneClaim, tip: string, foreign: readonly Foreign[]): Promise<boolean> {
    return attempts.examined(this.#state, claim, tip, foreign);
  }

  async imported(claim: LaneClaim, target: ImportedTarget): Promise<boolean> {
    return imported(this.#state, claim, target);
  }

  async createHold(hold: NewHold): Promise<Hold> {
    const stored = rollbacks.putHold(this.#state, hold);
    this.#state.target(hold.targetId).version++;
    this.#state.changed();
    return structuredClone(stored);
  }

  async rollBack(input: RollbackInput): Promise<RollbackResult> {
    return rollbacks.rollBack(this.#state, input);
  }

  async brakes(): Promise<Brake[]> {
    return structuredClone(rollbacks.brakes(this.#state));
  }

  async touched(withinMs: number): Promise<ApplicationRef[]> {
    return structuredClone(rollbacks.touched(this.#state, withinMs));
  }

  async removeHold(id: string): Promise<boolean> {
    const hold = this.#state.holds.get(id);
    if (hold === undefined) return false;
    this.#state.holds.delete(id);
    this.#state.target(hold.targetId).version++;
    work.wakeWaiting(this.#state, hold.targetId);
    return true;
  }

  async pin(targetId: string, pinned: { by: string; why: string }): Promise<void> {
    const target = this.#state.target(targetId);
    target.pinned = { ...pinned };
    target.version++;
    this.#state.changed();
  }

  async unpin(targetId: string): Promise<boolean> {
    const target = this.#state.targets.get(targetId);
    if (target?.pinned === undefined) return false;
    delete target.pinned;
    target.version++;
    work.wakeWaiting(this.#state, targetId);
    return true;
  }

  async createToken(token: { name: string; hash: string; groups: string[]; expiresAt?: number }): Promise<boolean> {
    const { tokens } = this.#state;
    if (tokens.some((one) => one.name === token.name && !one.isRevoked)) return false;
    tokens.push({ ...structuredClone(token), isRevoked: false });
    return true;
  }

  async intakePosition(stream: string, since = this.#state.now()): Promise<IntakePosition> {
    const known = this.#positions.get(stream) ?? { first: since, reached: since };
    this.#positions.set(stream, known);
    return { ...known };
  }

  async intakeReached(stream: string, at: number): Promise<void> {
    const known = this.#positions.get(stream);
    if (known !== undefined) known.reached = Math.max(known.reached, at);
  }

  async revokeToken(name: string): Promise<boolean> {
    const token = this.#state.tokens.find((one) => one.name === name && !one.isRevoked);
    if (token === undefined) return false;
    token.isRevoked = true;
    return true;
  }

  async tokenByHash(hash: string): Promise<{ name: string; groups: string[] } | undefined> {
    const now = this.#state.now();
    const token = this.#state.tokens.find(
      (one) => one.hash === hash && !one.isRevoked && (one.expiresAt ?? now + 1) > now,
    );
    return token === undefined ? undefined : { name: token.name, groups: [...token.groups] };
  }
}
