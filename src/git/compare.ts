import type { CommitInfo, Oid } from "../model/git.ts";
import { loadCommits } from "./commit.ts";
import type { CommitSource } from "./history.ts";
import { type Leaf, lookUp } from "./look-up.ts";
import type { ObjectSource } from "./object.ts";

/** How many commits `lastChange` looks at. */
const BLAME_DEPTH = 50;

interface Deps {
  objects: ObjectSource;
  commits: CommitSource;
}

/** Those of `paths` whose content or mode differs between two commits. */
export async function changedBetween(
  deps: Pick<Deps, "objects">,
  input: { from: Oid; to: Oid; paths: readonly string[] },
  signal: AbortSignal,
): Promise<string[]> {
  if (input.from === input.to || input.paths.length === 0) return [];
  const infos = await loadCommits(deps.objects, [input.from, input.to], signal);
  const roots = infos.map(({ tree }) => tree);
  const { leaves } = await lookUp(deps.objects, { roots, paths: input.paths, options: { differences: true } }, signal);
  return [...leaves].filter(([, [from, to]]) => differs(from, to)).map(([path]) => path);
}

/**
 * The newest of the last 50 first-parent commits that changed one of the paths; undefined when it lies further back.
 * Compares the trees of all these commits level by level, so that the depth of the paths decides about the requests.
 */
export async function lastChangeOf(
  deps: Deps,
  input: { tip: Oid; paths: readonly string[] },
  signal: AbortSignal,
): Promise<CommitInfo | undefined> {
  const chain = await firstParents(deps.commits, input.tip, signal);
  const roots = chain.map(({ tree }) => tree);
  // The repository's first commit differs from nothing, so there even equal trees have to be looked into.
  const options = { differences: chain.at(-1)?.parents.length !== 0 };
  const { leaves } = await lookUp(deps.objects, { roots, paths: input.paths, options }, signal);
  for (const [index, commit] of chain.entries()) {
    const first = commit.parents.length === 0;
    // Beyond the last commit there is nothing to compare with, unless it is the very first one of the repository.
    if (index === chain.length - 1 && !first) return undefined;
    for (const versions of leaves.values()) {
      if (differs(versions[index], first ? undefined : versions[index + 1])) return commit;
    }
  }
  return undefined;
}

/** The commit and its first-parent ancestors, newest first, one more than is judged. */
async function firstParents(commits: CommitSource, tip: Oid, signal: AbortSignal): Promise<CommitInfo[]> {
  const follow = (get: (oid: Oid) => CommitInfo | undefined): CommitInfo[] => {
    const chain: CommitInfo[] = [];
    for (let next: Oid | undefined = tip; next !== undefined && chain.length <= BLAME_DEPTH; ) {
      const commit = get(next);
      if (commit === undefined) break;
      chain.push(commit);
      next = commit.parents[0];
    }
    return chain;
  };
  const local = follow((oid) => commits.known(oid));
  if (local.length > BLAME_DEPTH || local.at(-1)?.parents.length === 0) return local;
  const { commits: found } = await commits.history({ tip, depth: BLAME_DEPTH + 1 }, signal);
  return follow((oid) => found.get(oid) ?? commits.known(oid));
}

function differs(a: Leaf | undefined, b: Leaf | undefined): boolean {
  return a?.oid !== b?.oid || a?.mode !== b?.mode;
}
