import { type GitspanError, isGitspanError, isTransient } from "../model/errors.ts";
import { callApi } from "./api.ts";
import type { Io } from "./io.ts";
import type { Progress } from "./progress.ts";
import { pauseAfter } from "./retry.ts";
import type { Server } from "./server.ts";
import { type BuildBody, isBuildBody } from "./wire.ts";

export type Until = "written" | "done";

/** A server that answers at once instead of waiting (it may be stopping) is not asked more often than this. */
const MIN_GAP_MS = 250;

export interface WaitResult {
  build: BuildBody;
  /** False when the time was up first. */
  settled: boolean;
}

/**
 * Asks again and again for the state as it is now, so that nothing is missed when the server restarts meanwhile.
 * Throws what does not pass (no such build, not allowed), and the last failure when there never was an answer.
 */
export async function waitForBuild(
  io: Io,
  server: Server,
  input: { id: string; until: Until; timeoutMs: number; progress: Progress },
): Promise<WaitResult> {
  const end = io.clock.now() + input.timeoutMs;
  let last: BuildBody | undefined;
  let failure: GitspanError | undefined;
  for (let failures = 0; ; ) {
    const askedAt = io.clock.now();
    const holdMs = Math.max(0, Math.min(end - askedAt, input.progress.everyMs));
    let pause = MIN_GAP_MS;
    try {
      last = await askBuild(io, server, input, holdMs);
      failures = 0;
      input.progress.show(last.deliveries);
      if (last[input.until]) return { build: last, settled: true };
      pause -= io.clock.now() - askedAt;
    } catch (error) {
      if (!isTransient(error) || !isGitspanError(error)) throw error;
      failure = error;
      input.progress.retrying(error);
      pause = pauseAfter(io.random, ++failures, error);
    }
    const left = end - io.clock.now();
    if (left <= 0) break;
    if (pause > 0) await io.clock.sleep(Math.min(pause, left), io.signal);
  }
  if (last === undefined) throw failure ?? new Error("unreachable code: neither an answer nor a failure");
  return { build: last, settled: false };
}

function askBuild(
  io: Io,
  server: Server,
  { id, until }: { id: string; until: Until },
  holdMs: number,
): Promise<BuildBody> {
  const path = `v1/builds/${encodeURIComponent(id)}`;
  return callApi(
    server,
    { path, query: { wait: `${Math.ceil(holdMs)}ms`, until }, holdMs, accepts: isBuildBody },
    io.signal,
  );
}
