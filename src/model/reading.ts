import type { Build } from "./build.ts";
import type { Delivery, DeliveryEvent, Outcome, Phase } from "./delivery.ts";
import type { Oid } from "./git.ts";

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
