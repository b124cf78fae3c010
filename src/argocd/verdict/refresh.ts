import type { Look } from "./look.ts";
import { laterThan } from "./reading.ts";

/** Refreshes are dropped silently while a comparison runs (argo-cd #28306), so each is asked for again. */
const UNTIL_SEEN_MS = [15_000, 30_000, 60_000] as const;
const UNTIL_CONFIRMED_MS = [5_000, 15_000, 30_000, 60_000] as const;

export interface Asked {
  refresh: boolean;
  againMs: number;
}

/** Right away, then after 15, 30, 60 s and every 60 s. */
export function askUntilSeen(look: Look): Asked {
  const { memory, now } = look;
  if (memory.refreshedAt === undefined) return ask(look, 1, UNTIL_SEEN_MS);
  return askAgain(look, memory.refreshedAt, UNTIL_SEEN_MS, now);
}

/**
 * A comparison that Argo CD began after `due` and that the watch has brought back: it shows that what we judge is
 * neither stale on Argo CD's side nor on ours. The times of the two clocks are never compared: the answer is a
 * `reconciledAt` later than the one we asked at, and than each of `floor`.
 */
export function confirm(
  look: Look,
  due: number,
  floor: readonly (string | undefined)[],
): Asked & { confirmed: boolean } {
  const { memory, now } = look;
  if (now < due) return { confirmed: false, refresh: false, againMs: due - now };
  if (memory.refreshedAt === undefined || memory.refreshedAt < due) {
    return { confirmed: false, ...ask(look, 1, UNTIL_CONFIRMED_MS) };
  }
  if (isAnswered(look) && floor.every((time) => laterThan(look.snapshot.reconciledAt, time))) {
    return { confirmed: true, refresh: false, againMs: Number.POSITIVE_INFINITY };
  }
  return { confirmed: false, ...askAgain(look, memory.refreshedAt, UNTIL_CONFIRMED_MS, now) };
}

/** The last refresh we asked for has been answered. */
function isAnswered(look: Look): boolean {
  const { memory, snapshot, now } = look;
  if (memory.refreshedAt === undefined || memory.refreshedAt === now) return false;
  return snapshot.annotations.refresh === undefined && laterThan(snapshot.reconciledAt, memory.refreshReconciledAt);
}

function askAgain(look: Look, refreshedAt: number, delays: readonly number[], now: number): Asked {
  const asked = look.memory.refreshes ?? 1;
  // Several snapshots of one look share its time: the request is not sent before the last of them was judged.
  if (refreshedAt === now) return ask(look, asked, delays);
  const dueAt = refreshedAt + delayAfter(asked, delays);
  return now >= dueAt ? ask(look, asked + 1, delays) : { refresh: false, againMs: dueAt - now };
}

function ask(look: Look, times: number, delays: readonly number[]): Asked {
  look.memory.refreshedAt = look.now;
  look.memory.refreshes = times;
  look.memory.refreshReconciledAt = look.snapshot.reconciledAt;
  return { refresh: true, againMs: delayAfter(times, delays) };
}

function delayAfter(times: number, delays: readonly number[]): number {
  return delays[Math.min(times, delays.length) - 1] ?? 60_000;
}
