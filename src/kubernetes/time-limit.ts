import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import type { Trouble } from "./trouble.ts";

/**
 * Runs `work` under a signal that is aborted with the caller's, or after `ms` milliseconds: then it rejects with the
 * transient `unreachable` of the peer, with the given message.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limit: { ms: number; message: string; signal: AbortSignal; trouble: Trouble },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  limit.signal.throwIfAborted();
  const done = new AbortController();
  const late = new AbortController();
  const expire = clock.sleep(limit.ms, AbortSignal.any([done.signal, limit.signal])).then(
    () => {
      const error = new GitspanError(limit.trouble.unreachable, limit.message, { transient: true });
      late.abort(error);
      throw error;
    },
    () => {
      limit.signal.throwIfAborted();
      return new Promise<never>(() => undefined);
    },
  );
  try {
    return await Promise.race([work(AbortSignal.any([late.signal, limit.signal])), expire]);
  } finally {
    done.abort();
  }
}
