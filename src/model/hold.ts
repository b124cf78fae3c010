import type { ImageValue } from "./delivery.ts";
import type { Digest } from "./image.ts";

/** "This digest, or anything, must not be written to this target." */
export interface Hold {
  id: string;
  targetId: string;
  /** Absent: everything is held. */
  digest?: Digest;
  by: string;
  why: string;
  createdAt: number;
  /** Database time at which it ends by itself. */
  until?: number;
}

/** The first hold in force at `now` that forbids writing these images to this target. */
export function heldBy(
  holds: readonly Hold[],
  targetId: string,
  images: readonly ImageValue[],
  now: number,
): Hold | undefined {
  return holds.find(
    (hold) =>
      hold.targetId === targetId &&
      (hold.until === undefined || hold.until > now) &&
      (hold.digest === undefined || images.some((image) => image.digest === hold.digest)),
  );
}
