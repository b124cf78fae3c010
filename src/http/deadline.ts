import type { Clock } from "../model/ambient.ts";
import type { GitspanError } from "../model/errors.ts";

/** Runs `work` for at most `ms` milliseconds; then aborts its signal and rejects with `late`, whatever `work` does. */
export async function withDeadline<T>(
  clock: Clock,
  input: { ms: number; late: () => GitspanError },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const finished = new AbortController();
  const late = clock.sleep(input.ms, finished.signal).then((): never => {
    const error = input.late();
    deadline.abort(error);
    throw error;
  });
  try {
    return await Promise.race([work(deadline.signal), late]);
  } finally {
    // Ends the timer; its rejection has nobody left to hear it.
    late.catch(() => undefined);
    finished.abort();
  }
}
