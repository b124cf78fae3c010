/**
 * What the application needs of its store: one interface for each use of it. PostgreSQL (`store/`) and the fake in
 * memory (`test/fakes/memory-store.ts`) pass the same contract suite. Times are the database's, in milliseconds.
 */
import type { ApplicationRef } from "../model/application.ts";
import type { Build, BuildReport } from "../model/build.ts";
import type {
  Delivery,
  DeliveryEvent,
  DeliveryKind,
  Ending,
  ImageValue,
  NewEvent,
  Outcome,
  Phase,
  WaitReason,
} from "../model/delivery.ts";
import type { Oid } from "../model/git.ts";
import type { Hold } from "../model/hold.ts";
import type { Observation } from "../model/observation.ts";
import type { Lane } from "../model/target.ts";

// ---------------------------------------------------------------- store: intake

export interface AcceptInput {
  buildId: string;
  report: BuildReport;
  subject: string;
  groups: string[];
  /** The same key of the same subject with another body hash is a mismatch. */
  idempotency?: { key: string; bodyHash: string };
  deliveries: NewDelivery[];
}

export interface NewDelivery {
  id: string;
  kind: DeliveryKind;
  targetId: string;
  app: string;
  environment: string;
  lane: Lane;
  images: ImageValue[];
  /** Milliseconds from acceptance. */
  expireAfterMs: number;
  /** Set for a delivery that is refused on arrival but kept in the history. */
  ending?: Ending;
}

export type AcceptResult =
  | { kind: "accepted" | "repeat"; build: Build; deliveries: Delivery[] }
  | { kind: "idempotency-mismatch" };

export interface IntakeStore {
  /** One durable transaction: build, deliveries, targets and lanes; or the stored build when it is a repeat. */
  accept(input: AcceptInput): Promise<AcceptResult>;
}

// ---------------------------------------------------------------- store: reading

export interface DeliveryFilter {
  app?: string;
  environment?: string;
  outcome?: Outcome;
  phase?: Phase;
  commit?: string;
  /** Matches the repository, the tag or the digest of an image. */
  image?: string;
  buildId?: string;
  limit: number;
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Pass it back for the next page; absent on the last one. */
  next?: string;
}

/** What the bridge knows of a target beside its configuration. */
export interface TargetState {
  id: string;
  /** The delivery whose values we put there last, with its build and commit. */
  current?: { delivery: Delivery; build: Build };
  lastHealthyDeliveryId?: string;
  pinned?: { by: string; why: string };
  /** Set while somebody else's value stands where ours was; cleared by the next landing. */
  overridden?: { kind: "reverted" | "changed"; commit: Oid };
  /** Database time at which this database first heard of it, milliseconds since the epoch. */
  since: number;
  /** Changes with every change of the target, its pin or its holds: the guard of the write transaction. */
  version: number;
}

/** An event with its delivery as it is now. */
export interface FeedEvent extends DeliveryEvent {
  delivery: Delivery;
}

export interface FeedPage {
  /** In the order of their ids. */
  items: FeedEvent[];
  /** Go on from here. */
  last: number;
}

export interface DeliveryCount {
  phase: Phase;
  /** With phase `done` only. */
  outcome?: Outcome;
  count: number;
  /** Milliseconds since the oldest of them was received; not with phase `done`. */
  oldestMs?: number;
}

export interface ReadStore {
  build(id: string): Promise<Build | undefined>;
  delivery(id: string): Promise<Delivery | undefined>;
  /** Newest first. */
  deliveries(filter: DeliveryFilter): Promise<Page<Delivery>>;
  /** Oldest first. */
  events(deliveryId: string): Promise<DeliveryEvent[]>;
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

export interface Lease {
  owner: string;
  ms: number;
}

/** What a stage makes of a delivery; absent fields stay as they are. */
export interface DeliveryChange {
  phase: Phase;
  waitReason?: WaitReason;
  message?: string;
  ending?: Ending;
  observation?: Observation;
  /** Milliseconds from now until somebody looks again. */
  dueInMs?: number;
  events?: NewEvent[];
}

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

export interface LaneClaim {
  lane: Lane;
  /** Grows whenever the owner changes; every lane write checks it. */
  epoch: number;
  /** The branch's tip when it was last examined. */
  lastSeenTip?: Oid;
}

export interface Attempt {
  id: string;
  laneId: string;
  epoch: number;
  base: Oid;
  head: Oid;
  items: AttemptItem[];
  createdAt: number;
}

export interface AttemptItem {
  deliveryId: string;
  targetId: string;
  commit: Oid;
  /** As it is stored with the delivery once the attempt has landed. */
  observation: Observation;
}

/** A delivery that may be written, with all a plan needs. */
export interface ReadyDelivery {
  delivery: Delivery;
  build: Build;
}

export interface LaneWork {
  openAttempts: Attempt[];
  /** Phase `ready`, and phase `writing` in an open attempt (it may be planned again on the same base); oldest first. */
  ready: ReadyDelivery[];
  /** Targets of this lane that hold one of our values, or have something ready. */
  targets: TargetState[];
  holds: Hold[];
  /** Database time of this reading. */
  now: number;
}

export interface AttemptInput {
  id: string;
  claim: LaneClaim;
  base: Oid;
  head: Oid;
  configHash: string;
  items: (AttemptItem & {
    deliveryVersion: number;
    targetVersion: number;
    /** What a person should know of the edit; goes into the history. */
    warnings?: readonly string[];
  })[];
}

export type AttemptResult =
  | { kind: "begun" }
  /** These fell out (changed, held, pinned or expired meanwhile); nothing was written, plan again without them. */
  | { kind: "refused"; deliveryIds: string[] }
  /** Another owner has the lane. */
  | { kind: "lane-lost" };

/** A value of ours that somebody else took out or replaced. */
export interface Foreign {
  targetId: string;
  deliveryId: string;
  kind: "reverted" | "changed";
  commit: Oid;
  message: string;
}

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
  /** Locks the targets, checks everything again, stores the attempt and moves its deliveries to `writing`. */
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
}

/** Every change locks the target's row, making it if need be, and gives it a new version. */
export interface HoldStore {
  /** An attempt begins either before the hold or under it, never beside it. `until` is database time. */
  createHold(hold: Omit<Hold, "createdAt">): Promise<Hold>;
  /** In force now at any target, oldest first. */
  allHolds(): Promise<Hold[]>;
  /** False when there is no such hold. Deliveries that wait at the target are looked at again. */
  removeHold(id: string): Promise<boolean>;
  /** The target stays as it is until released. */
  pin(targetId: string, pinned: { by: string; why: string }): Promise<void>;
  /** False when it is not pinned. Deliveries that wait at the target are looked at again. */
  unpin(targetId: string): Promise<boolean>;
}

export interface TokenStore {
  /** Stores the hash of a new token under a name; false when the name is taken. */
  createToken(token: { name: string; hash: string; groups: string[]; expiresAt?: number }): Promise<boolean>;
  /** False when there is no such token. */
  revokeToken(name: string): Promise<boolean>;
  /** Neither revoked nor expired. */
  tokenByHash(hash: string): Promise<{ name: string; groups: string[] } | undefined>;
}

export type DeliveryStore = ReadStore & WorkStore & LaneStore;
