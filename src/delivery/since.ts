import type { Build } from "../model/build.ts";
import type { Delivery, Ending } from "../model/delivery.ts";

/**
 * The first report of a target makes it known, and comes a while after the run finished: from a queue, or sent again
 * because nobody could be reached. Clocks of CI systems differ by minutes.
 */
const GRACE_MS = 3_600_000;

/**
 * The end of a delivery whose run finished before its target was known (protocols.md section 1): with a fresh or lost
 * database, whoever tells of old runs again must not deliver them again. Times in milliseconds since the epoch.
 */
export function historyOnly(input: { delivery: Delivery; build: Build; since: number }): Ending | undefined {
  const { delivery, build, since } = input;
  const finishedAt = build.run?.finishedAt;
  if (delivery.kind !== "build" || finishedAt === undefined || finishedAt >= since - GRACE_MS) return undefined;
  const message =
    `its run finished at ${iso(finishedAt)}, before ${delivery.targetId} was known here (${iso(since)}): ` +
    "it is history only; run the pipeline again to deliver this commit";
  return { outcome: "cancelled", reason: "closed", message };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
