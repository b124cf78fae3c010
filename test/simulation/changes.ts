import type { CommitInfo } from "../../src/model/git.ts";
import type { MemoryGit } from "../fakes/memory-git.ts";
import { deliveryOf } from "./invariants.ts";
import { targetsOfSimulation } from "./settings.ts";

/** The lines that each of our commits removes and adds, worked out without the editor that made them. */
export async function changesOf(
  git: MemoryGit,
  commits: readonly CommitInfo[],
): Promise<Map<string, { path: string; removed: string[]; added: string[] }[]>> {
  const paths = targetsOfSimulation().map(({ app, environment }) => `apps/${app}/${environment}/kustomization.yaml`);
  const signal = new AbortController().signal;
  const changes = new Map<string, { path: string; removed: string[]; added: string[] }[]>();
  for (const commit of commits) {
    const parent = commit.parents[0];
    if (parent === undefined || deliveryOf(commit) === undefined) continue;
    const before = await git.readFiles(parent, paths, signal);
    const after = await git.readFiles(commit.oid, paths, signal);
    const changed = paths.filter((path) => textOf(before.get(path)) !== textOf(after.get(path)));
    changes.set(
      commit.oid,
      changed.map((path) => ({ path, ...difference(textOf(before.get(path)), textOf(after.get(path))) })),
    );
  }
  return changes;
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function difference(before: string, after: string): { removed: string[]; added: string[] } {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return { removed: old.filter((line) => !now.includes(line)), added: now.filter((line) => !old.includes(line)) };
}
