import type { Build } from "../model/build.ts";
import type { Delivery } from "../model/delivery.ts";
import { type Hold, heldBy, isInForce } from "../model/hold.ts";
import type { SourceHistory } from "./ports.ts";

/**
 * The hold that forbids writing the delivery. One that names a build also holds builds of the same source commit and of
 * its ancestors (protocols.md section 5): what was taken out is in none of the newer ones for certain, but in those.
 */
export async function heldFor(
  history: SourceHistory,
  input: { holds: readonly Hold[]; delivery: Delivery; build: Build; now: number },
  signal: AbortSignal,
): Promise<Hold | undefined> {
  const { holds, delivery, build, now } = input;
  const plainly = heldBy(holds, delivery, now);
  if (plainly !== undefined || delivery.kind === "rollback") return plainly;
  for (const hold of holds) {
    if (hold.build === undefined || !isInForce(hold, delivery.targetId, now)) continue;
    const relation = await history.relation(build, hold.build, signal);
    if (relation === "same" || relation === "ancestor") return hold;
  }
  return undefined;
}
