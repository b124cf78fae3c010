import type { Oid } from "../model/git.ts";
import type { Attempt } from "../model/lane.ts";
import type { GitRepository } from "./ports.ts";
import type { LaneStore } from "./store-ports.ts";

export interface ResolveDeps {
  store: Pick<LaneStore, "attemptLanded" | "attemptDead">;
  git: GitRepository;
}

/** No git server keeps a request half done for so long: without this end a branch at rest would hold a delivery for ever. */
const STALLED_FOR_GOOD_MS = 6 * 3_600_000;

/**
 * Finds out what became of open attempts (protocols.md section 3, step 2). Returns how many are still open: the branch
 * is where they started from, so they may yet land; a new attempt on the same base excludes them by compare-and-swap.
 */
export async function resolveAttempts(
  deps: ResolveDeps,
  input: { attempts: readonly Attempt[]; tip: Oid; now: number; epoch: number },
  signal: AbortSignal,
): Promise<{ resolved: number; open: number }> {
  const dead: Attempt[] = [];
  let landed = 0;
  let open = 0;
  for (const attempt of input.attempts) {
    // Begun by whoever took the lane from us, perhaps on a tip that we have not seen: not ours to judge.
    if (attempt.epoch > input.epoch) continue;
    if (attempt.base === input.tip) {
      if (input.now - attempt.createdAt > STALLED_FOR_GOOD_MS) dead.push(attempt);
      else open++;
    } else if (await isOnBranch(deps.git, attempt, input.tip, signal)) {
      await deps.store.attemptLanded(attempt);
      landed++;
    } else {
      dead.push(attempt);
    }
  }
  // Landed first: a delivery that stood in two attempts must not become ready again.
  for (const attempt of dead) await deps.store.attemptDead(attempt, "its commits are not on the branch");
  return { resolved: landed + dead.length, open };
}

async function isOnBranch(git: GitRepository, attempt: Attempt, tip: Oid, signal: AbortSignal): Promise<boolean> {
  if (attempt.head === tip) return true;
  const range = await git.range(attempt.base, tip, signal);
  if (range.commits.some((commit) => commit.oid === attempt.head)) return true;
  return range.connected ? false : git.isAncestor(attempt.head, tip, signal);
}
