import type { Clock, Random } from "../model/ambient.ts";
import { GitspanError, isTransient } from "../model/errors.ts";

const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/** Milliseconds before attempt `failures + 1`: doubling, spread by up to a half, never earlier than the server asks. */
export function pauseAfter(random: Random, failures: number, error: unknown): number {
  const backoff = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  const asked = error instanceof GitspanError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, backoff * (0.5 + random.next() / 2));
}

/** Repeats what fails for reasons that pass, until it works or another pause would end after `forMs` milliseconds. */
export async function retrying<T>(
  io: { clock: Clock; random: Random; signal: AbortSignal },
  forMs: number,
  attempt: () => Promise<T>,
): Promise<T> {
  const end = io.clock.now() + forMs;
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      const pause = pauseAfter(io.random, failures, error);
      if (!isTransient(error) || io.clock.now() + pause > end) throw error;
      await io.clock.sleep(pause, io.signal);
    }
  }
}
