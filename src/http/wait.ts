import type { ServerResponse } from "node:http";
import type { HttpDeps } from "./deps.ts";

/** A change may be committed between a reading and the wait for it, so that nobody wakes us: look again anyway. */
const LOOK_AGAIN_MS = 2_000;
/** However much happens, one waiting request reads at most ten times a second. */
const MIN_GAP_MS = 100;

export interface WaitInput<T> {
  read: () => Promise<T>;
  /** True when there is nothing more to wait for. */
  settled: (value: T) => boolean;
  /** Milliseconds; 0 reads once. */
  waitMs: number;
  signal: AbortSignal;
}

/** Reads until it is settled, the time is up, the client has gone or the server stops; resolves with the last reading. */
export async function readUntil<T>(
  deps: Pick<HttpDeps, "store" | "clock" | "shuttingDown">,
  input: WaitInput<T>,
): Promise<T> {
  const { clock, store } = deps;
  const end = clock.now() + input.waitMs;
  for (;;) {
    const readAt = clock.now();
    const value = await input.read();
    const left = end - clock.now();
    if (left <= 0 || input.signal.aborted || deps.shuttingDown() || input.settled(value)) return value;
    try {
      await store.waitForChange(Math.min(left, LOOK_AGAIN_MS), input.signal);
      const early = readAt + MIN_GAP_MS - clock.now();
      if (early > 0) await clock.sleep(Math.min(early, left), input.signal);
    } catch (error) {
      if (input.signal.aborted) return value;
      throw error;
    }
  }
}

/** Aborts when the client goes away before it has its answer. */
export function untilDisconnect(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort(new Error("the client went away"));
  });
  return controller.signal;
}
