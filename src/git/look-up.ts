import type { Oid } from "../model/git.ts";
import type { GitObject, ObjectSource, Want } from "./object.ts";
import { splitPath, unsafePath } from "./path.ts";
import { findEntry, isFileMode, isTreeMode, type TreeEntry, treeEntries } from "./tree.ts";

/** What stands at a path: a regular file, or something that is not to be read or written through. */
export interface Leaf {
  kind: "file" | "directory" | "symlink" | "submodule";
  mode: string;
  oid: Oid;
}

export interface LookUp {
  /** Per path: what stands there in each root, undefined where nothing does; a link on the way stands for the rest. */
  leaves: Map<string, (Leaf | undefined)[]>;
  /** Everything that was read on the way. */
  objects: Map<Oid, GitObject>;
}

export interface LookUpOptions {
  /** Loads the files' contents too, together with the trees of the same depth. */
  contents?: boolean;
  /** Does not descend where all roots are the same: only differences are wanted. */
  differences?: boolean;
}

interface Probe {
  path: string;
  root: number;
  parts: string[];
  depth: number;
  /** The tree to look into, or the file to load when the parts are used up. */
  oid: Oid;
}

/**
 * Finds paths in trees, all paths of all roots at once: the objects of one depth are one request, so the number of
 * requests is the depth of the deepest path and not the number of paths.
 * @throws GitspanError git-path-unsafe for a path that no repository should hold, and those of the object source
 */
export async function lookUp(
  objects: ObjectSource,
  input: { roots: readonly Oid[]; paths: Iterable<string>; options?: LookUpOptions },
  signal: AbortSignal,
): Promise<LookUp> {
  const { roots, options = {} } = input;
  const result: LookUp = { leaves: new Map(), objects: new Map() };
  let probes: Probe[] = [];
  for (const path of new Set(input.paths)) {
    const parts = splitPath(path);
    result.leaves.set(path, Array.from({ length: roots.length }));
    for (const [root, oid] of roots.entries()) probes.push({ path, root, parts, depth: 0, oid });
  }
  while (probes.length > 0) {
    if (options.differences === true) probes = differing(probes, roots.length);
    await load(objects, probes, result, signal);
    const find = finderFor(probes, result);
    probes = probes.flatMap((probe) => step(probe, { find, leaves: result.leaves }, options));
  }
  return result;
}

async function load(objects: ObjectSource, probes: Probe[], result: LookUp, signal: AbortSignal): Promise<void> {
  const wants = new Map<Oid, Want>();
  for (const { oid, depth, parts } of probes) {
    if (!result.objects.has(oid)) wants.set(oid, { oid, type: depth === parts.length ? "blob" : "tree" });
  }
  if (wants.size === 0) return;
  for (const [oid, object] of await objects.load([...wants.values()], signal)) result.objects.set(oid, object);
}

/** From so many names of one directory on it pays to take it apart once: every single search reads it through. */
const MANY = 16;

type Finder = (probe: Probe) => TreeEntry | undefined;

/** Finds the entry that a probe goes on with; none where its parts are used up. */
function finderFor(probes: readonly Probe[], { objects }: LookUp): Finder {
  const inTrees = probes.filter(({ parts, depth }) => depth < parts.length);
  const indexes = new Map<Oid, Map<string, TreeEntry>>();
  for (const [oid, group] of Map.groupBy(inTrees, (probe) => probe.oid)) {
    const tree = group.length > MANY ? objects.get(oid) : undefined;
    if (tree === undefined) continue;
    // Of two entries of one name the first counts, as in a search.
    const entries = treeEntries(tree.data).reverse();
    indexes.set(oid, new Map(entries.map((entry) => [entry.name.toString("latin1"), entry])));
  }
  return ({ oid, parts, depth }) => {
    const tree = objects.get(oid);
    const name = parts[depth];
    if (tree === undefined || name === undefined) return undefined;
    const index = indexes.get(oid);
    return index === undefined ? findEntry(tree.data, name) : index.get(Buffer.from(name).toString("latin1"));
  };
}

/** One component further; nothing more to load gives no probe. */
function step(
  probe: Probe,
  { find, leaves: found }: { find: Finder } & Pick<LookUp, "leaves">,
  options: LookUpOptions,
) {
  const entry = find(probe);
  if (entry === undefined) return [];
  const leaf: Leaf = { kind: kindOf(entry.mode), mode: entry.mode, oid: entry.oid };
  const last = probe.depth === probe.parts.length - 1;
  if (!last && leaf.kind === "directory") return [{ ...probe, depth: probe.depth + 1, oid: entry.oid }];
  if (!last && leaf.kind === "file") return [];
  const leaves = found.get(probe.path);
  if (leaves !== undefined) leaves[probe.root] = leaf;
  if (last && leaf.kind === "file" && options.contents === true) {
    return [{ ...probe, depth: probe.depth + 1, oid: entry.oid }];
  }
  return [];
}

/** Leaves out paths whose trees are the same in every root: nothing below them differs either. */
function differing(probes: Probe[], roots: number): Probe[] {
  const byPath = Map.groupBy(probes, ({ path }) => path);
  return [...byPath.values()].flatMap((group) => {
    const same = group.length === roots && group.every(({ oid }) => oid === group[0]?.oid);
    return same ? [] : group;
  });
}

function kindOf(mode: string): Leaf["kind"] {
  if (isTreeMode(mode)) return "directory";
  if (isFileMode(mode)) return "file";
  return mode === "160000" ? "submodule" : "symlink";
}

/** @throws GitspanError git-path-unsafe for a symbolic link or submodule on the way or at the end */
export function assertPlain(path: string, leaf: Leaf | undefined): void {
  if (leaf?.kind === "symlink") throw unsafePath(path, "a symbolic link stands on the way or at its end");
  if (leaf?.kind === "submodule") throw unsafePath(path, "it leads into a submodule");
}
