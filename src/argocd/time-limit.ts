import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";

/**
 * Runs `work` under a signal that is aborted with the caller's, or after `ms` milliseconds: then it rejects with the
 * transient `argocd-unreachable` and the given message.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limit: { ms: number; message: string; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  limit.signal.throwIfAborted();
  const done = new AbortController();
  const late = new AbortController();
  const expire = clock.sleep(limit.ms, AbortSignal.any([done.signal, limit.signal])).then(
    () => {
      const error = new GitspanError("argocd-unreachable", limit.message, { transient: true });
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
