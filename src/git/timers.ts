import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import type { Timeouts } from "./transport.ts";

export interface Timers {
  /** Each starts a timer and gives the function that stops it. */
  connecting: () => () => void;
  waiting: () => () => void;
  clear: () => void;
}

/** Watches over one request, from now on; aborts `stop` with a transient `git-unreachable` when a time is up. */
export function startTimers(clock: Clock, timeouts: Timeouts, place: string, stop: AbortController): Timers {
  const { connectMs, firstByteMs, totalMs } = timeouts;
  const armed = new Set<AbortController>();
  const arm = (ms: number, what: string): (() => void) => {
    const cancel = new AbortController();
    armed.add(cancel);
    const expired = (): void => {
      stop.abort(
        new GitspanError("git-unreachable", `${place}: ${what} took longer than ${ms} ms`, {
          hint: "look at the server's load, or raise the timeout",
          transient: true,
        }),
      );
    };
    clock.sleep(ms, cancel.signal).then(expired, () => undefined);
    return () => cancel.abort();
  };
  arm(totalMs, "the whole request");
  return {
    connecting: () => arm(connectMs, "connecting"),
    waiting: () => arm(firstByteMs, "the first byte of the answer"),
    clear: () => {
      for (const cancel of armed) cancel.abort();
    },
  };
}
