import type { Delivery } from "../model/delivery.ts";
import type { CommitInfo, Oid } from "../model/git.ts";
import type { Foreign } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import type { Target } from "../model/target.ts";
import { candidatePaths, type Files, imagesStand, standingImages } from "./places.ts";
import type { GitRepository, Settings } from "./ports.ts";
import { revertedBy } from "./trailers.ts";
import { targetOf } from "./verify.ts";

export interface ExamineDeps {
  git: GitRepository;
  /** What we wrote to the delivery's target, the last of it at least. */
  writtenBefore: (current: Delivery) => Promise<Delivery[]>;
}

export interface ExamineInput {
  laneId: string;
  /** The tip that was examined last. */
  from: Oid;
  tip: Oid;
  targets: readonly TargetState[];
  settings: Settings;
}

interface Watched {
  target: Target;
  current: Delivery;
  paths: string[];
}

/** What the commits between two tips did to values that we had written (protocols.md section 5). */
export async function examineMove(deps: ExamineDeps, input: ExamineInput, signal: AbortSignal): Promise<Foreign[]> {
  const { git } = deps;
  const watched = input.targets.flatMap((state): Watched[] => {
    const current = state.current?.delivery;
    const target = current && targetOf(input.settings, current);
    if (target === undefined || current?.laneId !== input.laneId || state.overridden !== undefined) return [];
    return [{ target, current, paths: candidatePaths(target) }];
  });
  if (watched.length === 0) return [];
  const { commits, connected } = await git.range(input.from, input.tip, signal);
  const suspects = await suspectsOf(git, { ...input, watched, commits, connected }, signal);
  if (suspects.length === 0) return [];

  const files = await git.readFiles(input.tip, [...new Set(suspects.flatMap((entry) => entry.paths))], signal);
  const gone = suspects.filter(({ target, current }) => !imagesStand(target, current.images, files));
  return Promise.all(
    gone.map(async ({ target, current, paths }) => {
      const before = await deps.writtenBefore(current);
      const revert = commits.find((commit) => namesAsReverted(commit, [current, ...before]));
      const culprit = revert ?? (await git.lastChange(input.tip, paths, signal)) ?? commits[0];
      const kind = revert !== undefined || isRestored({ target, current, before, files }) ? "reverted" : "changed";
      return {
        targetId: target.id,
        deliveryId: current.id,
        kind,
        commit: culprit?.oid ?? input.tip,
        message: describe(kind, culprit),
      };
    }),
  );
}

/**
 * Whose files differ between the tips; and whose commit came after the first one, as a push without an answer does:
 * there, a commit and its revert make no difference. Of a history that was rewritten everything is suspect.
 */
async function suspectsOf(
  git: GitRepository,
  input: { from: Oid; tip: Oid; watched: Watched[]; commits: readonly CommitInfo[]; connected: boolean },
  signal: AbortSignal,
): Promise<Watched[]> {
  if (!input.connected) return input.watched;
  const all = [...new Set(input.watched.flatMap((entry) => entry.paths))];
  const changed = new Set(await git.changedPaths(input.from, input.tip, all, signal));
  const since = new Set(input.commits.map(({ oid }) => oid));
  return input.watched.filter(
    ({ current, paths }) => paths.some((path) => changed.has(path)) || since.has(current.commit ?? ""),
  );
}

function namesAsReverted(commit: CommitInfo, ours: readonly Delivery[]): boolean {
  return revertedBy(commit).some((oid) => ours.some((delivery) => delivery.commit?.startsWith(oid)));
}

/** Some value is one that the target held before, and no value is one that we do not know. */
function isRestored(input: { target: Target; current: Delivery; before: readonly Delivery[]; files: Files }): boolean {
  const { target, current, before, files } = input;
  const ours = current.observation?.newImages ?? [];
  const held = new Set(
    [current, ...before].flatMap(({ observation }) => [
      ...(observation?.oldImages ?? []),
      ...(observation?.newImages ?? []),
    ]),
  );
  const standing = safely(() => standingImages(target, current.images, files));
  const foreign = standing.filter((image) => !ours.includes(image));
  return foreign.length > 0 && foreign.every((image) => held.has(image));
}

function describe(kind: Foreign["kind"], commit: CommitInfo | undefined): string {
  const who = commit === undefined ? "somebody" : commit.author;
  const where = commit === undefined ? "" : ` in ${commit.oid.slice(0, 12)}`;
  return kind === "reverted" ? `${who} reverted it${where}` : `${who} wrote another value${where}`;
}

/** A file that nobody can read any more holds none of the old values. */
function safely(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
