/**
 * What the application needs of its store: one interface for each use of it. PostgreSQL (`store/`) and the fake in
 * memory (`test/fakes/memory-store.ts`) pass the same contract suite. Times are the database's, in milliseconds.
 */
import type { AcceptInput, AcceptResult } from "../model/acceptance.ts";
import type { ApplicationRef } from "../model/application.ts";
import type { Build } from "../model/build.ts";
import type { Delivery, DeliveryEvent, Phase } from "../model/delivery.ts";
import type { Oid } from "../model/git.ts";
import type { Hold, NewHold } from "../model/hold.ts";
import type { ImportedTarget } from "../model/import.ts";
import type { IntakePosition } from "../model/intake-position.ts";
import type { AttemptInput, AttemptResult, Foreign, LaneClaim, LaneWork } from "../model/lane.ts";
import type { DeliveryCount, DeliveryFilter, FeedPage, Page, TargetState } from "../model/reading.ts";
import type { Brake, RollbackInput, RollbackResult } from "../model/rollback.ts";
import type { DeliveryChange, Lease } from "../model/work.ts";

// ---------------------------------------------------------------- store: intake

export interface IntakeStore {
  /** One durable transaction: build, deliveries, targets and lanes; or the stored build when it is a repeat. */
  accept(input: AcceptInput): Promise<AcceptResult>;
}

// ---------------------------------------------------------------- store: reading

export interface ReadStore {
  build(id: string): Promise<Build | undefined>;
  delivery(id: string): Promise<Delivery | undefined>;
  /** Newest first. */
  deliveries(filter: DeliveryFilter): Promise<Page<Delivery>>;
  /** Oldest first. */
  events(deliveryId: string): Promise<DeliveryEvent[]>;
  /** What landed at the target with its builds, newest landing first. */
  written(targetId: string, limit: number): Promise<{ delivery: Delivery; build: Build }[]>;
  /**
   * What happened to all deliveries after this event. Whoever goes on from `last` misses nothing, however transactions
   * overlap. Without `after`, or with an id that was never given out: no events, only where to begin now.
   */
  eventsAfter(after: number | undefined, limit: number): Promise<FeedPage>;
  /** How many there are, by phase and outcome. */
  countDeliveries(): Promise<DeliveryCount[]>;
  targetStates(ids: readonly string[]): Promise<Map<string, TargetState>>;
  /** Every target that it ever heard of. */
  targetIds(): Promise<string[]>;
  holds(targetIds: readonly string[]): Promise<Hold[]>;
  /** Resolves when something changed, when `timeoutMs` have passed, or rejects when aborted; may wake for nothing. */
  waitForChange(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

// ---------------------------------------------------------------- store: work on deliveries

export interface WorkStore {
  /** Database time, milliseconds since the epoch: the only clock of leases and rules. */
  now(): Promise<number>;
  /** Deliveries that are due in one of the phases, leased to the owner; nobody else gets them until the lease ends. */
  claim(phases: readonly Phase[], limit: number, lease: Lease): Promise<Delivery[]>;
  /** Writes if the version is still the one that was read, frees the lease; false when somebody was faster. */
  save(delivery: { id: string; version: number }, change: DeliveryChange): Promise<boolean>;
  /** Undone deliveries of the target except in phase `following`, oldest first, with their builds. */
  pending(targetId: string): Promise<{ delivery: Delivery; build: Build }[]>;
  /** Brings forward deliveries in phase `following` that watch this Application. */
  expedite(application: ApplicationRef): Promise<void>;
}

// ---------------------------------------------------------------- store: lanes (protocols.md section 3)

export interface LaneStore {
  /** A due lane, leased; epoch + 1 when the owner changes. */
  claimLane(lease: Lease): Promise<LaneClaim | undefined>;
  /** Keeps the lease; false when the lane was lost. */
  renewLane(claim: LaneClaim, lease: Lease): Promise<boolean>;
  /** Frees the lane; somebody looks again when a delivery becomes ready, or after `dueInMs` if given. */
  releaseLane(claim: LaneClaim, dueInMs?: number): Promise<void>;
  /** Makes the lane due now: somebody has reason to look at its branch. */
  wakeLane(laneId: string): Promise<void>;
  laneWork(claim: LaneClaim): Promise<LaneWork>;
  /** Targets of this lane that hold one of our values. */
  standing(claim: LaneClaim): Promise<TargetState[]>;
  /**
   * Locks the targets, checks everything again, stores the attempt and moves its deliveries to `writing`. The base has
   * been examined: up to there the branch is known from now on.
   */
  beginAttempt(input: AttemptInput): Promise<AttemptResult>;
  /** The attempt's commits are on the branch: its deliveries follow, older ones still following are superseded. */
  attemptLanded(attempt: { id: string; laneId: string }): Promise<void>;
  /**
   * The attempt can never land: deliveries that no other open attempt holds are ready again. When the lane is looked at
   * again is said at its release.
   */
  attemptDead(attempt: { id: string; laneId: string }, why: string): Promise<void>;
  /** The value stands already: the delivery follows the commit that wrote it, under the same checks as an attempt. */
  adopt(input: Omit<AttemptInput, "head">): Promise<AttemptResult>;
  /** Stores what others did to our values and the tip up to which the branch is known; false when the lane was lost. */
  examined(claim: LaneClaim, tip: Oid, foreign: readonly Foreign[]): Promise<boolean>;
  /**
   * Stores what the branch told of a target that nothing of ours is known to stand at; deliveries that are known stay
   * as they are. False when the lane was lost, or the target has changed.
   */
  imported(claim: LaneClaim, target: ImportedTarget): Promise<boolean>;
}

/** Every change locks the target's row, making it if need be, and gives it a new version. */
export interface HoldStore {
  /** An attempt begins either before the hold or under it, never beside it. `until` is database time. */
  createHold(hold: NewHold): Promise<Hold>;
  /** In force now at any target, oldest first. */
  allHolds(): Promise<Hold[]>;
  /** False when there is no such hold. Deliveries that wait at the target are looked at again. */
  removeHold(id: string): Promise<boolean>;
  /** The target stays as it is until released. */
  pin(targetId: string, pinned: { by: string; why: string }): Promise<void>;
  /** False when it is not pinned. Deliveries that wait at the target are looked at again. */
  unpin(targetId: string): Promise<boolean>;
}

export interface RollbackStore {
  /**
   * One transaction: the delivery of kind rollback, and holds on what it takes out. At most one for a delivery at a
   * time, and none after one that has landed.
   */
  rollBack(input: RollbackInput): Promise<RollbackResult>;
  /** Pulled now. */
  brakes(): Promise<Brake[]>;
  /** Applications of what is followed, or was changed in any way within the last `withinMs`. */
  touched(withinMs: number): Promise<ApplicationRef[]>;
}

export interface TokenStore {
  /** Stores the hash of a new token under a name; false when the name is taken. */
  createToken(token: { name: string; hash: string; groups: string[]; expiresAt?: number }): Promise<boolean>;
  /** False when there is no such token. */
  revokeToken(name: string): Promise<boolean>;
  /** Neither revoked nor expired. */
  tokenByHash(hash: string): Promise<{ name: string; groups: string[] } | undefined>;
}

export interface IntakePositionStore {
  /** Where the intake from a stream of runs stands; one that is not known begins at `since`, or now. */
  intakePosition(stream: string, since?: number): Promise<IntakePosition>;
  /** Every run that ended before this time was handled; never goes back. */
  intakeReached(stream: string, at: number): Promise<void>;
}

export type DeliveryStore = ReadStore & WorkStore & LaneStore & RollbackStore;
