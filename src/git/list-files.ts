import type { Oid } from "../model/git.ts";
import { loadCommits } from "./commit.ts";
import { lookUp } from "./look-up.ts";
import type { ObjectSource } from "./object.ts";
import { splitPath } from "./path.ts";
import { isFileMode, isTreeMode, treeEntries } from "./tree.ts";

/** Files and folders of one folder, what is below them included: a folder that holds more is not one app's. */
const MAX_LISTED = 5_000;

interface Folder {
  /** The folder that was asked for. */
  asked: string;
  /** With a slash at its end; "" is the root. */
  prefix: string;
  oid: Oid;
}

/**
 * Paths of the regular files in each folder and below it; "" is the repository's root. A folder that is not there, or that
 * no repository should hold, has none; one with more than MAX_LISTED has no entry. The trees of one depth are one request.
 * A folder that holds itself many times over (trees may share what is below) is counted as often as it would be listed.
 */
export async function listFilesAt(
  objects: ObjectSource,
  input: { commit: Oid; folders: readonly string[] },
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const asked = [...new Set(input.folders)];
  const found = new Map<string, string[]>(asked.map((folder) => [folder, []]));
  if (asked.length === 0) return found;
  const roots = (await loadCommits(objects, [input.commit], signal)).map(({ tree }) => tree);
  const paths = asked.filter((folder) => folder !== "" && isSafe(folder));
  const { leaves } = await lookUp(objects, { roots, paths }, signal);
  let open = [
    ...(found.has("") ? roots.map((oid) => ({ asked: "", prefix: "", oid })) : []),
    ...[...leaves].flatMap(([path, [leaf]]) =>
      leaf?.kind === "directory" ? [{ asked: path, prefix: `${path}/`, oid: leaf.oid }] : [],
    ),
  ];
  const counts = new Map<string, number>();
  while (open.length > 0) {
    const wants = [...new Set(open.map(({ oid }) => oid))].map((oid) => ({ oid, type: "tree" }) as const);
    const trees = await objects.load(wants, signal);
    open = open.flatMap((folder) => below(folder, trees.get(folder.oid)?.data, { found, counts }));
  }
  return found;
}

/** Adds the files of one folder, and gives its folders. */
function below(
  { asked, prefix }: Folder,
  tree: Buffer | undefined,
  { found, counts }: { found: Map<string, string[]>; counts: Map<string, number> },
): Folder[] {
  const files = found.get(asked);
  if (files === undefined || tree === undefined) return [];
  const inner: Folder[] = [];
  let count = counts.get(asked) ?? 0;
  for (const { mode, name, oid } of treeEntries(tree)) {
    const path = `${prefix}${name.toString()}`;
    if (isTreeMode(mode)) inner.push({ asked, prefix: `${path}/`, oid });
    if (isFileMode(mode)) files.push(path);
    if (++count <= MAX_LISTED) continue;
    found.delete(asked);
    return [];
  }
  counts.set(asked, count);
  return inner;
}

function isSafe(folder: string): boolean {
  try {
    splitPath(folder);
    return true;
  } catch {
    return false;
  }
}
