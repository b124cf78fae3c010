import { GitspanError } from "../model/errors.ts";
import type { CommitInfo, CommitRange, Oid } from "../model/git.ts";
import type { Relation } from "../model/order.ts";

/** Commits without their trees. */
export interface CommitSource {
  /** Known without asking anybody. */
  known(oid: Oid): CommitInfo | undefined;
  /**
   * Commits in the history of `tip`, at most `depth` generations, without the history of `except`.
   * `cut` says that the depth ended the history somewhere.
   */
  history(
    input: { tip: Oid; except?: Oid; depth: number },
    signal: AbortSignal,
  ): Promise<{ commits: Map<Oid, CommitInfo>; cut: boolean }>;
  /** Whether the repository has the commit at all, on a branch or not. */
  has(commit: Oid, nearby: Oid, signal: AbortSignal): Promise<boolean>;
}

/** How many generations `range` looks back. */
const RANGE_DEPTH = 1000;
/** How many generations decide about ancestry, when the first look did not. */
const ANCESTRY_DEPTH = 50_000;

/**
 * Commits of `tip` that `base` lacks, newest first, children before parents; one request, none when all is known.
 * `connected` is false when base is not an ancestor of tip, or lies more than 1000 generations back.
 */
export async function rangeOf(
  source: CommitSource,
  base: Oid,
  tip: Oid,
  signal: AbortSignal,
): Promise<CommitRange & { cut: boolean }> {
  if (base === tip) return { commits: [], connected: true, cut: false };
  const local = between(base, tip, (oid) => source.known(oid));
  if (local !== undefined) return { commits: newestFirst(local.commits), connected: true, cut: false };
  const { commits, cut } = await source.history({ tip, except: base, depth: RANGE_DEPTH }, signal);
  const range = walk(base, tip, (oid) => commits.get(oid));
  return { commits: newestFirst(range.commits), connected: range.connected, cut };
}

/** The commit and its ancestors, newest first, at most 1000 generations. */
export async function historyOf(source: CommitSource, tip: Oid, signal: AbortSignal): Promise<CommitInfo[]> {
  const local = generationsOf(tip, RANGE_DEPTH, (oid) => source.known(oid));
  if (!local.lacking) return newestFirst(local.commits);
  return newestFirst((await source.history({ tip, depth: RANGE_DEPTH }, signal)).commits);
}

/**
 * Whether `ancestor` is in the history of `commit`, or is it.
 * @throws GitspanError git-too-large when the history is too long to tell: a guess could write a delivery twice
 */
export async function isAncestorOf(
  source: CommitSource,
  ancestor: Oid,
  commit: Oid,
  signal: AbortSignal,
): Promise<boolean> {
  const near = walk(ancestor, commit, (oid) => source.known(oid));
  if (ancestor === commit || near.connected) return true;
  const range = await rangeOf(source, ancestor, commit, signal);
  if (range.connected || !range.cut) return range.connected;
  if (!(await source.has(ancestor, commit, signal))) return false;
  const { commits, cut } = await source.history({ tip: commit, except: ancestor, depth: ANCESTRY_DEPTH }, signal);
  const { connected } = walk(ancestor, commit, (oid) => commits.get(oid));
  if (connected || !cut) return connected;
  throw new GitspanError("git-too-large", `the history between ${ancestor} and ${commit} is too long to compare`, {
    hint: "compare commits that lie closer together",
  });
}

/**
 * How commit A stands to commit B.
 * @throws GitspanError as `isAncestorOf`; git-not-found when the repository does not have one of them
 */
export async function relationOf(
  source: CommitSource,
  a: Oid,
  b: Oid,
  signal: AbortSignal,
): Promise<Exclude<Relation, "unknown">> {
  if (a === b) return "same";
  const known = (oid: Oid): CommitInfo | undefined => source.known(oid);
  // What is known already decides most often, in whichever direction: asking is left for the rest.
  if (walk(a, b, known).connected) return "ancestor";
  if (walk(b, a, known).connected) return "descendant";
  if (await isAncestorOf(source, a, b, signal)) return "ancestor";
  return (await isAncestorOf(source, b, a, signal)) ? "descendant" : "unrelated";
}

export interface Generations {
  commits: Map<Oid, CommitInfo>;
  /** The depth, or an unknown commit, ended the history somewhere. */
  cut: boolean;
  /** A commit within the depth is unknown. */
  lacking: boolean;
}

/** The commit and its ancestors, at most `depth` generations, as far as `get` knows them. */
export function generationsOf(tip: Oid, depth: number, get: (oid: Oid) => CommitInfo | undefined): Generations {
  const commits = new Map<Oid, CommitInfo>();
  let level = new Set([tip]);
  let lacking = false;
  for (let generation = 0; generation < depth && level.size > 0; generation++) {
    const next = new Set<Oid>();
    for (const oid of level) {
      const commit = get(oid);
      if (commit === undefined) lacking = true;
      else commits.set(oid, commit);
      for (const parent of commit?.parents ?? []) if (!commits.has(parent)) next.add(parent);
    }
    level = next;
  }
  return { commits, cut: lacking || level.size > 0, lacking };
}

/** What the first history has and the second has not. */
export function without(history: Generations, other: Generations): Generations {
  const commits = new Map([...history.commits].filter(([oid]) => !other.commits.has(oid)));
  return { ...history, commits };
}

/** The commits of `tip` that `base` lacks, when `get` knows all of them for certain. */
export function between(
  base: Oid,
  tip: Oid,
  get: (oid: Oid) => CommitInfo | undefined,
): { commits: Map<Oid, CommitInfo>; cut: false } | undefined {
  const { commits, connected, loose } = walk(base, tip, get);
  // Complete only when every line of history ends at base itself: then nothing of base's own history was walked.
  return connected && loose.size === 0 ? { commits, cut: false } : undefined;
}

interface Walk {
  commits: Map<Oid, CommitInfo>;
  connected: boolean;
  /** Where the walk ended elsewhere than at base: unknown commits, and commits without parents. */
  loose: Set<Oid>;
}

/** Walks from tip to base over the commits that `get` knows. */
function walk(base: Oid, tip: Oid, get: (oid: Oid) => CommitInfo | undefined): Walk {
  const commits = new Map<Oid, CommitInfo>();
  const loose = new Set<Oid>();
  let connected = false;
  const queue = [tip];
  for (let oid = queue.pop(); oid !== undefined; oid = queue.pop()) {
    if (oid === base) connected = true;
    if (oid === base || commits.has(oid) || loose.has(oid)) continue;
    const commit = get(oid);
    if (commit === undefined) {
      loose.add(oid);
      continue;
    }
    commits.set(oid, commit);
    if (commit.parents.length === 0) loose.add(oid);
    queue.push(...commit.parents);
  }
  return { commits, connected, loose };
}

/** Children before parents; among those that may come next, the one committed last (as `git log --date-order`). */
function newestFirst(commits: Map<Oid, CommitInfo>): CommitInfo[] {
  const children = new Map<Oid, number>();
  for (const { parents } of commits.values()) {
    for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  const ready = [...commits.values()].filter(({ oid }) => !children.has(oid));
  const sorted: CommitInfo[] = [];
  for (;;) {
    ready.sort((a, b) => a.committedAt - b.committedAt);
    const next = ready.pop();
    if (next === undefined) return sorted;
    sorted.push(next);
    for (const parent of next.parents) {
      const left = (children.get(parent) ?? 0) - 1;
      children.set(parent, left);
      const commit = commits.get(parent);
      if (left === 0 && commit !== undefined) ready.push(commit);
    }
  }
}
