import type { Delivery, Rollback } from "./delivery.ts";
import type { NewHold } from "./hold.ts";

/** A rollback as it is stored, with everything that must become true together with it. */
export interface RollbackInput {
  delivery: Pick<Delivery, "id" | "targetId" | "app" | "environment" | "laneId" | "buildId" | "images" | "traceparent">;
  rollback: Rollback;
  expireAfterMs: number;
  /** The target's version that the decision rests on. */
  targetVersion: number;
  /** On what it takes out. */
  holds: readonly NewHold[];
}

export type RollbackResult =
  /** `repeat`: the same delivery is being taken out already. */
  | { kind: "begun" | "repeat"; delivery: Delivery }
  /** The target changed meanwhile; nothing was stored. */
  | { kind: "stale" };
