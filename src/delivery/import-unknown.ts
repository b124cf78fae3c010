import type { Ids } from "../model/ambient.ts";
import { isTransient } from "../model/errors.ts";
import type { CommitInfo, Oid } from "../model/git.ts";
import type { LaneClaim, LaneWork } from "../model/lane.ts";
import { type BranchHistory, branchHistory, importTarget } from "./import.ts";
import type { GitRepository, Log, Settings } from "./ports.ts";
import type { LaneStore } from "./store-ports.ts";
import { targetOf } from "./verify.ts";

export interface ImportDeps {
  store: Pick<LaneStore, "imported">;
  settings: () => Settings;
  ids: Ids;
  log: Log;
}

/**
 * Before the first write to a target: reads from the branch what an earlier database knew of it, so that nobody's
 * revert is undone and nothing older is written. True when something was stored.
 */
export async function importUnknown(
  deps: ImportDeps,
  git: GitRepository,
  { claim, tip, work }: { claim: LaneClaim; tip: Oid; work: LaneWork },
  signal: AbortSignal,
): Promise<boolean> {
  const settings = deps.settings();
  const unknown = work.targets.filter((state) => state.current === undefined);
  if (unknown.length === 0) return false;
  const first = new Map(work.ready.toReversed().map(({ delivery }) => [delivery.targetId, delivery]));
  let history: BranchHistory | undefined;
  let stored = false;
  for (const state of unknown) {
    const delivery = first.get(state.id);
    const target = delivery && targetOf(settings, delivery);
    if (target === undefined) continue;
    history ??= branchHistory(await historyOf(deps, git, { claim, tip }, signal));
    const found = await importTarget({ git, ids: deps.ids }, { target, state, tip, history }, signal);
    if (found === undefined || !(await deps.store.imported(claim, found))) continue;
    const { pin, overridden, deliveries } = found;
    deps.log.info("a target was read from its branch", {
      target: state.id,
      deliveries: deliveries.length,
      pin,
      overridden,
    });
    stored = true;
  }
  return stored;
}

/** A history that cannot be had for good must not keep the lane from being written: it only tells what was. */
async function historyOf(
  { log }: ImportDeps,
  git: GitRepository,
  { claim, tip }: { claim: LaneClaim; tip: Oid },
  signal: AbortSignal,
): Promise<CommitInfo[]> {
  try {
    return await git.history(tip, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isTransient(error)) throw error;
    log.warn("the history of a branch could not be read", { lane: claim.lane.id, error });
    return [];
  }
}
