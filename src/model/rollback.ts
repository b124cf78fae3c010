import type { Delivery, Rollback } from "./delivery.ts";
import type { NewHold } from "./hold.ts";
import type { DeliveryChange } from "./work.ts";

/** How many automatic rollbacks may fire, counted over all targets that run on an Argo CD (promise 9). */
export interface BrakeRule {
  clusters: readonly string[];
  atMost: number;
  withinMs: number;
  /** Why it is pulled whatever the count says. */
  because?: string;
}

/** A brake that is pulled: no automatic rollback fires for Applications of this Argo CD. */
export interface Brake {
  cluster: string;
  why: string;
  /** Database time at which it lets go, unless it is pulled again. */
  until: number;
}

/** A rollback as it is stored, with everything that must become true together with it. */
export interface RollbackInput {
  delivery: Pick<Delivery, "id" | "targetId" | "app" | "environment" | "laneId" | "buildId" | "images" | "traceparent">;
  rollback: Rollback;
  expireAfterMs: number;
  /** The target's version that the decision rests on. */
  targetVersion: number;
  /** On what it takes out. */
  holds: readonly NewHold[];
  /** Of an automatic one: the failed delivery with its end, stored with it, and the brake that is asked first. */
  failed?: { delivery: { id: string; version: number }; change: DeliveryChange };
  brake?: BrakeRule;
}

export type RollbackResult =
  /** `repeat`: the same delivery is being taken out already. */
  | { kind: "begun" | "repeat"; delivery: Delivery }
  /** The target or the failed delivery changed meanwhile; nothing was stored. */
  | { kind: "stale" }
  /** The brake is pulled; nothing else was stored. */
  | { kind: "braked"; why: string };
