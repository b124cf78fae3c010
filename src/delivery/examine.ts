import type { CommitInfo, Oid } from "../model/git.ts";
import { candidatePaths, imagesStand, standingImages } from "./places.ts";
import type { GitRepository, Settings } from "./ports.ts";
import type { Foreign, TargetState } from "./store-ports.ts";

export interface ExamineInput {
  /** The tip that was examined last. */
  from: Oid;
  tip: Oid;
  targets: readonly TargetState[];
  settings: Settings;
}

/** What the commits between two tips did to values that we had written (protocols.md section 5). */
export async function examineMove(git: GitRepository, input: ExamineInput, signal: AbortSignal): Promise<Foreign[]> {
  const watched = input.targets.flatMap((state) => {
    const target = input.settings.target(state.id);
    const current = state.current?.delivery;
    if (target === undefined || current === undefined || state.overridden !== undefined) return [];
    return [{ target, current, paths: candidatePaths(target) }];
  });
  const paths = [...new Set(watched.flatMap((entry) => entry.paths))];
  if (paths.length === 0) return [];
  const changed = new Set(await git.changedPaths(input.from, input.tip, paths, signal));
  const touched = watched.filter((entry) => entry.paths.some((path) => changed.has(path)));
  if (touched.length === 0) return [];

  const files = await git.readFiles(input.tip, [...new Set(touched.flatMap((entry) => entry.paths))], signal);
  const gone = touched.filter(({ target, current }) => !imagesStand(target, current.images, files));
  if (gone.length === 0) return [];

  const { commits } = await git.range(input.from, input.tip, signal);
  return Promise.all(
    gone.map(async ({ target, current, paths: own }) => {
      const revert = commits.find((commit) => current.commit !== undefined && namesAsReverted(commit, current.commit));
      const before = current.observation?.oldImages ?? [];
      const standing = safely(() => standingImages(target, current.images, files));
      const restored =
        before.length > 0 && before.length === standing.length && before.every((old) => standing.includes(old));
      const culprit = revert ?? (await git.lastChange(input.tip, own, signal)) ?? commits[0];
      const kind = revert !== undefined || restored ? "reverted" : "changed";
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

/** `git revert` writes this sentence; people who write it by hand mean the same. */
function namesAsReverted(commit: CommitInfo, reverted: Oid): boolean {
  const match = /This reverts commit ([0-9a-f]{7,40})/.exec(commit.message);
  return match?.[1] !== undefined && reverted.startsWith(match[1]);
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
