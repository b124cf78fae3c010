import type { Build } from "./build.ts";
import type { Delivery, ImageValue } from "./delivery.ts";
import type { Oid } from "./git.ts";
import type { Hold, NewHold } from "./hold.ts";
import type { Observation } from "./observation.ts";
import type { TargetState } from "./reading.ts";
import type { Lane } from "./target.ts";

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
  /** What the commit really brings, where that is not all that the delivery was for. */
  images?: ImageValue[];
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
  /** Targets that have something ready. */
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

/** A value of ours that somebody else took out, replaced or put back. */
export interface Foreign {
  targetId: string;
  deliveryId: string;
  kind: "reverted" | "changed" | "restored";
  commit: Oid;
  message: string;
  /** Earlier deliveries that were taken out too, each with the commit that did it. */
  also?: { deliveryId: string; commit: Oid }[];
  /** With `reverted`: placed instead of a pin. */
  holds?: NewHold[];
}
