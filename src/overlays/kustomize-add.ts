import { isMap, isPair, isScalar, isSeq, type Node } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import type { ValuePath } from "./change.ts";
import type { Fact } from "./flatten.ts";
import type { WantedFields } from "./intents.ts";
import { mayBeKustomization } from "./kustomize-entries.ts";
import { eolFor, lineAt } from "./lines.ts";
import { onlyPair, refuseShared, startOf } from "./place.ts";
import { styleOf, writeString } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";
import type { Step } from "./steps.ts";

/** An image that gets an entry, and what is to stand in it. */
export interface NewEntry {
  repository: string;
  wanted: WantedFields;
}

type Fields = readonly [key: string, value: string][];

/**
 * Puts entries behind the last one of `images`, indented like it, or the list at the end of the file. Throws
 * `edit-unsupported` where the file has no clear place for them.
 */
export function addEntries(source: Source, entries: readonly NewEntry[]): Step {
  const root = source.documents[0]?.contents ?? null;
  const isClear = source.documents.length === 1 && isMap<Node, Node | null>(root) && root.flow !== true;
  if (!isClear || !mayBeKustomization(root)) throw noPlace(source, root);
  const list = onlyPair({ source, map: root }, "images");
  const chain = [root, ...(isSeq(list?.value) ? [list.value] : [])];
  refuseShared({ source, document: 0, path: ["images"], chain });
  // The same file whatever order the images come in.
  const all = entries.toSorted((a, b) => (a.repository < b.repository ? -1 : 1)).map(fieldsOf);
  if (list !== undefined) return behindLast(source, list.value, all);
  return newList(
    source,
    root.items.map(({ value }) => value),
    all,
  );
}

function fieldsOf({ repository, wanted }: NewEntry): Fields {
  const { newName, newTag, digest } = wanted;
  const given = { newName, newTag: newTag ?? undefined, digest: digest ?? undefined };
  const fields: [key: string, value: string][] = [["name", repository]];
  for (const [key, value] of Object.entries(given)) if (value !== undefined) fields.push([key, value]);
  return fields;
}

function behindLast(source: Source, list: Node | null, all: readonly Fields[]): Step {
  const last = isSeq<Node>(list) && list.flow !== true ? list.items.at(-1) : undefined;
  const end = last === undefined ? undefined : lastOffset(last);
  if (!isSeq<Node>(list) || last === undefined || end === undefined) throw noPlace(source, list);
  const { text } = source;
  const lead = text.slice(lineAt(text, startOf(last)).start, startOf(last));
  if (!/^ *- +$/.test(lead)) throw noPlace(source, last);
  const line = lineAt(text, end);
  const written = linesOf(all, lead).map((own) => eolFor(text, line) + own);
  return step(source, line.end, written.join(""), list.items.length, all);
}

function newList(source: Source, values: readonly (Node | null)[], all: readonly Fields[]): Step {
  const { text } = source;
  const eol = eolFor(text, lineAt(text, text.length));
  // Lists are indented as the ones that are there.
  const list = values.find((value) => isSeq<Node>(value) && value.flow !== true && value.items.length > 0);
  const first = isSeq<Node>(list) ? (list.items[0] ?? null) : null;
  const lead = /^ *- +$/.exec(text.slice(lineAt(text, startOf(first)).start, startOf(first)))?.[0] ?? "- ";
  const lines = ["images:", ...linesOf(all, lead)].join(eol);
  const written = text.endsWith("\n") ? lines + eol : eol + lines;
  return step(source, text.length, written, 0, all);
}

function linesOf(all: readonly Fields[], lead: string): string[] {
  return all.flatMap((fields) =>
    fields.map(([key, value], index) => {
      const indent = index === 0 ? lead : " ".repeat(lead.length);
      return `${indent}${key}: ${writeString(value, "plain")}`;
    }),
  );
}

function step(source: Source, at: number, text: string, index: number, all: readonly Fields[]): Step {
  const path = ["images", index];
  const fact = (kind: Fact["kind"], own: ValuePath, value?: string): Fact => ({
    path: JSON.stringify(own),
    kind,
    type: value === undefined ? "" : "string",
    text: value ?? "",
    anchor: undefined,
    tag: undefined,
  });
  const entries = all.flatMap((fields, offset) => {
    const own = ["images", index + offset];
    const pairs = fields.flatMap(([key, value]) => [
      fact("key", [...own, key], key),
      fact("value", [...own, key], value),
    ]);
    return [fact("map", own), ...pairs];
  });
  const head = index > 0 ? [] : [fact("key", ["images"], "images"), fact("list", ["images"])];
  const value = all.map((fields) => fields.map(([key, own]) => `${key}: ${own}`).join(", ")).join("; ");
  return {
    source,
    change: { kind: "insert", start: at, end: at, text, path, old: undefined, new: value },
    expectation: { document: 0, path, value, added: [...head, ...entries] },
  };
}

/** Where the last value of an item ends; `undefined` when it is no plain or quoted one. */
function lastOffset(node: Node): number | undefined {
  if (isMap(node) && node.flow === true) return node.range?.[1];
  const last = isMap(node) ? node.items.at(-1) : undefined;
  const value = isPair(last) ? last.value : undefined;
  return isScalar(value) && styleOf(value) !== undefined ? value.range?.[1] : undefined;
}

function noPlace(source: Source, node: Node | null): GitspanError {
  return refusal(source, "edit-unsupported", startOf(node), "no clear place for a new entry of images", {
    hint: 'Add "images:" with an entry for the image by hand.',
  });
}
