import { isDeepStrictEqual } from "node:util";
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments } from "yaml";
import type { Change, ValuePath } from "../../src/overlays/change.ts";

/** What an edit means, worked out without the editor's own trees: by data and paths alone. */

type Doc = Document.Parsed;

// Every scalar is a text, so that "1.10" stays what it is; duplicate keys are none of the editor's business elsewhere.
function documentsOf(text: string, schema: "failsafe" | "core" = "failsafe"): Doc[] {
  return [...parseAllDocuments(text, { schema, uniqueKeys: false, logLevel: "error" })];
}

const dataOf = (documents: readonly Doc[]): unknown[] =>
  documents.map((document) => document.toJS({ maxAliasCount: -1 }) as unknown);

/** The document in which a change lies. */
const ownerOf = (documents: readonly Doc[], { start }: Change): number =>
  documents.findIndex(({ range }) => start <= range[2]);

/** True when `after` is `before` with exactly these values changed. */
export function meansExactly(before: string, after: string, changes: readonly Change[]): boolean {
  const [old, now] = [documentsOf(before), documentsOf(after)];
  const opened = { old: new Map<Node, Doc[]>(), now: new Map<Node, Doc[]>() };
  for (const change of changes) {
    const owner = ownerOf(old, change);
    apply(old[owner], change, opened.old, true);
    apply(now[owner], change, opened.now, false);
  }
  for (const texts of Object.values(opened)) close(texts);
  return isDeepStrictEqual(dataOf(old), dataOf(now));
}

/** Follows the change's path, through texts too, and does it at the end unless it is only to open the texts. */
function apply(document: Doc | undefined, change: Change, opened: Map<Node, Doc[]>, doIt: boolean): void {
  let node: unknown = document?.contents;
  for (const [index, step] of change.path.entries()) {
    if (isScalar(node) && typeof node.value === "string") {
      const inner = opened.get(node) ?? documentsOf(node.value);
      opened.set(node, inner);
      const rest = { ...change, path: change.path.slice(index) };
      for (const one of inner) if (reaches(one, rest)) apply(one, rest, opened, doIt);
      return;
    }
    const isLast = index === change.path.length - 1;
    if (isMap(node)) {
      const at = node.items.findLastIndex(({ key }) => keyText(key, document) === String(step));
      if (isLast && doIt) {
        if (change.new === undefined) node.items.splice(at, 1);
        else if (at < 0) node.set(step, change.new);
        else assign(node.items[at] as { value: unknown }, change.new);
      }
      node = node.items[at]?.value;
    } else if (isSeq(node)) {
      if (isLast && doIt) assign({ value: node.items[Number(step)] }, change.new ?? "");
      node = node.items[Number(step)];
    }
  }
}

function assign(pair: { value: unknown }, value: string): void {
  if (isScalar(pair.value)) pair.value.value = value;
  else pair.value = value;
}

/** Inner documents are told apart by whether they have the path at all. */
function reaches(document: Doc, { path, kind }: Change): boolean {
  const way = kind === "insert" ? path.slice(0, -1) : path;
  return way.length === 0 || document.hasIn(way);
}

function keyText(key: unknown, document: Doc | undefined): string {
  const own = isAlias(key) && document !== undefined ? key.resolve(document) : key;
  return isScalar(own) ? String(own.value) : "";
}

/** Puts the data of opened texts where the texts were; inner ones first. */
function close(opened: ReadonlyMap<Node, Doc[]>): void {
  for (const [node, documents] of [...opened].toReversed())
    if (isScalar(node)) node.value = { documents: dataOf(documents) };
}

/** The values at the paths of the changes that are no texts although the ones before were. */
export function typesLost(before: string, after: string, changes: readonly Change[]): string[] {
  const [old, now] = [documentsOf(before, "core"), documentsOf(after, "core")];
  return changes.flatMap((change) => {
    const owner = ownerOf(old, change);
    const [was, is] = [old, now].map((documents) => valueAt(dataOf(documents)[owner], change.path));
    return is === undefined || typeof is === "string" || typeof was === "number" ? [] : [change.path.join(".")];
  });
}

function valueAt(data: unknown, path: ValuePath): unknown {
  let value = data;
  for (const step of path) value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
  return value;
}
