import type { Build } from "./build.ts";
import type { Delivery } from "./delivery.ts";
import type { Digest } from "./image.ts";

/** "This digest, this build and older ones, or anything, must not be written to this target." */
export interface Hold {
  id: string;
  targetId: string;
  digest?: Digest;
  /** What was taken out: builds of its source commit and of older ones are held too. With neither, everything is held. */
  build?: Build;
  by: string;
  why: string;
  createdAt: number;
  /** Database time at which it ends by itself. */
  until?: number;
}

export type NewHold = Omit<Hold, "createdAt" | "build"> & { buildId?: string };

/** The first hold in force at `now` that forbids writing the delivery, as far as that shows without source history. */
export function heldBy(
  holds: readonly Hold[],
  delivery: Pick<Delivery, "targetId" | "images" | "kind" | "buildId" | "rollback">,
  now: number,
): Hold | undefined {
  return holds.find((hold) => {
    if (!isInForce(hold, delivery.targetId, now)) return false;
    // What came beside a hold is taken out because of it, and must not wait for its end.
    if (hold.digest === undefined && hold.build === undefined) return delivery.rollback?.trigger !== "hold";
    if (delivery.images.some(({ digest }) => digest !== undefined && digest === hold.digest)) return true;
    return delivery.kind !== "rollback" && delivery.buildId === hold.build?.id;
  });
}

export function isInForce(hold: Hold, targetId: string, now: number): boolean {
  return hold.targetId === targetId && (hold.until === undefined || hold.until > now);
}
