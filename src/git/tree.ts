/**
 * Tree objects, read and edited as the bytes they are: entries of `mode SP name NUL id` (20 bytes). Splicing bytes keeps
 * every other entry as it was, odd modes included, and costs far less than parsing and writing a big directory again.
 */
import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";

const ID_BYTES = 20;

export interface TreeEntry {
  mode: string;
  name: Buffer;
  oid: Oid;
}

/** Offsets of one entry; nothing is decoded until it is wanted. */
interface Span {
  start: number;
  /** Of the space after the mode, and of the NUL after the name. */
  space: number;
  nul: number;
}

function* scan(tree: Buffer): Generator<Span, void, undefined> {
  let start = 0;
  while (start < tree.length) {
    const space = tree.indexOf(0x20, start);
    const nul = tree.indexOf(0, start);
    const end = nul + 1 + ID_BYTES;
    if (space < 0 || nul < space || end > tree.length)
      throw new GitspanError("git-protocol", "a tree object is damaged");
    yield { start, space, nul };
    start = end;
  }
}

function entryAt(tree: Buffer, { start, space, nul }: Span): TreeEntry {
  return {
    mode: tree.toString("latin1", start, space),
    name: tree.subarray(space + 1, nul),
    oid: tree.toString("hex", nul + 1, nul + 1 + ID_BYTES),
  };
}

/** All entries in the tree's own order. */
export function treeEntries(tree: Buffer): TreeEntry[] {
  return Array.from(scan(tree), (span) => entryAt(tree, span));
}

export function findEntry(tree: Buffer, name: string): TreeEntry | undefined {
  const span = locate(tree, Buffer.from(name));
  return span === undefined ? undefined : entryAt(tree, span);
}

function locate(tree: Buffer, name: Buffer): Span | undefined {
  // A native search first: most misses end here. A hit may lie inside an id, so only the scan proves it.
  if (!tree.includes(Buffer.concat([Buffer.from(" "), name, Buffer.alloc(1)]))) return undefined;
  for (const span of scan(tree)) {
    if (span.nul - span.space - 1 === name.length && name.compare(tree, span.space + 1, span.nul) === 0) return span;
  }
  return undefined;
}

export function isTreeMode(mode: string): boolean {
  return mode === "40000";
}

/** A regular file; `100664` is what very old gits wrote. */
export function isFileMode(mode: string): boolean {
  return mode === "100644" || mode === "100755" || mode === "100664";
}

const NEW_FILE_MODE = "100644";

/** The tree with the entry's id replaced, its mode and place kept; or with a new regular file put in at its place. */
export function putEntry(tree: Buffer, name: string, oid: Oid): Buffer {
  const bytes = Buffer.from(name);
  const found = locate(tree, bytes);
  if (found !== undefined) {
    const copy = Buffer.from(tree);
    copy.write(oid, found.nul + 1, "hex");
    return copy;
  }
  const entry = Buffer.concat([Buffer.from(`${NEW_FILE_MODE} `), bytes, Buffer.alloc(1), Buffer.from(oid, "hex")]);
  const at = insertionPoint(tree, bytes);
  return Buffer.concat([tree.subarray(0, at), entry, tree.subarray(at)]);
}

/** Git orders entries by bytes, a directory as if its name ended in a slash (`base_name_compare` in git's tree.c). */
function insertionPoint(tree: Buffer, name: Buffer): number {
  for (const span of scan(tree)) {
    const entry = entryAt(tree, span);
    const other = isTreeMode(entry.mode) ? Buffer.concat([entry.name, Buffer.from("/")]) : entry.name;
    if (Buffer.compare(name, other) < 0) return span.start;
  }
  return tree.length;
}

/** A whole tree from its entries, in Git's order. */
export function buildTree(entries: readonly { mode: string; name: string; oid: Oid }[]): Buffer {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.from(isTreeMode(entry.mode) ? `${entry.name}/` : entry.name),
  }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(
    keyed.flatMap(({ entry }) => [Buffer.from(`${entry.mode} ${entry.name}\0`), Buffer.from(entry.oid, "hex")]),
  );
}
