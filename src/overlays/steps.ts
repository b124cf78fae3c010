import { isAlias, isCollection, isPair, isScalar, type Node, Scalar } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import type { Change } from "./change.ts";
import { eolFor, leadOf, lineAt } from "./lines.ts";
import { anchorOf, tagOf, targetOf } from "./nodes.ts";
import { keyOf, keyTwice, type MapPlace, refuseShared, type Slot, slotOf, startOf, type YamlPair } from "./place.ts";
import type { Expectation } from "./prove.ts";
import { isWritable, plainType, type ScalarStyle, scalarText, styleOf, writeString } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";

/** One thing done to one value: the splice, what must be true afterwards, and what people should know. */
export interface Step {
  /** The text that it is done to. */
  source: Source;
  change: Change;
  expectation: Expectation;
  warning?: string;
}

const STRING_TAG = "tag:yaml.org,2002:str";

/** Sets a value that stands there, in its own style. `undefined` when it is what it should be. */
export function setValue(place: MapPlace, pair: YamlPair, value: string): Step | undefined {
  return setSlot(slotOf(place, pair), value);
}

/** As `setValue`, for list items too. `shared`: it may be seen through aliases of it, wherever they are. */
export function setSlot(slot: Slot, value: string, { shared = false } = {}): Step | undefined {
  const { source, node, path, document } = slot;
  const old = valueText(node);
  if (old === value && !isOtherType(node)) return undefined;
  refuseUnwritable(slot, node, value);
  if (slot.twice !== undefined) throw keyTwice(slot.source, slot.twice);
  refuseShared(slot, node, shared);
  const style = styleOf(node);
  const tag = tagOf(node);
  const line = old === undefined ? undefined : blockLine(source.text, node, old);
  if (line !== undefined && value !== "" && value.trim() === value) {
    const change = { kind: "replace", ...line, text: value, path, old, new: value } as const;
    return { source, change, expectation: { document, path, value, shared } };
  }
  if (!isScalar(node) || style === undefined || (tag !== undefined && tag !== STRING_TAG)) {
    throw unsupported(slot, node ?? slot.pair?.key ?? null, "only a plain or quoted value of one line can be replaced");
  }
  const expectation: Expectation = { document, path, value, shared };
  const start = startOf(node);
  const end = node.range?.[1] ?? start;
  if (start === end) {
    const colon = slot.pair === undefined ? undefined : colonEnd(slot.pair);
    if (colon === undefined || anchorOf(node) !== undefined)
      throw unsupported(slot, slot.pair?.key ?? node, "the empty value is not plain");
    const text = ` ${writeString(value, "plain")}`;
    return {
      source,
      change: { kind: "insert", start: colon, end: colon, text, path, old: undefined, new: value },
      expectation,
    };
  }
  const change = { kind: "replace", start, end, path, old, new: value } as const;
  const type = plainType(value);
  // The author's choice for numbers and dates is kept: what the reader makes of them is not ours to change.
  if (
    style === "plain" &&
    tag === undefined &&
    type !== "string" &&
    plainType(old ?? "") === type &&
    type !== "other" &&
    (!source.json || JSON_NUMBER.test(value))
  ) {
    const warning = `${slot.source.file}: ${path.at(-1)} ${value} is written without quotes, as ${old} was: YAML reads it as a ${type}`;
    return { source, change: { ...change, text: value }, expectation: { ...expectation, anyType: true }, warning };
  }
  const text =
    style === "plain"
      ? writeString(value, neededStyle(slot, value), { block: isBlock(slot) })
      : writeString(value, style);
  return { source, change: { ...change, text }, expectation };
}

/** Where the one line of a block scalar stands that ends without a line break (`>-`); it needs no quotes. */
function blockLine(text: string, node: Node | null, old: string): { start: number; end: number } | undefined {
  const isBlock = isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
  if (!isBlock || tagOf(node) !== undefined || old === "") return undefined;
  const [from, to] = node.range ?? [0, 0];
  const content = lineAt(text, from).next;
  const written = text.slice(content, to);
  const start = content + written.length - written.trimStart().length;
  return written.trim() === old ? { start, end: start + old.length } : undefined;
}

// https://www.rfc-editor.org/rfc/rfc8259#section-6
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** Puts `key: value` behind `after`, indented and quoted like it. `behind` is the key it will follow in the result. */
export function insertValue(place: MapPlace, key: string, value: string, after: YamlPair, behind: string): Step {
  refuseUnwritable(place, after.key, value);
  if (place.twice !== undefined) throw keyTwice(place.source, place.twice);
  refuseShared(place);
  const { text } = place.source;
  const lead = leadOf(text, startOf(after.key));
  const valueEnd = endOf(after);
  const style = styleOf(after.value);
  const keyStyle = styleOf(after.key);
  const simple = (isAlias(after.value) || style !== undefined) && keyStyle !== undefined;
  if (!simple || (place.map.flow !== true && lead.kind === "other")) {
    throw unsupported(place, after.key, `no place to put "${key}" behind this`);
  }
  const line = lineAt(text, valueEnd);
  const valueStyle = place.source.json ? "double" : (style ?? "plain");
  const written = `${writeString(key, keyStyle)}: ${writeString(value, valueStyle)}`;
  const newLine = `${eolFor(text, line)}${" ".repeat(lead.width)}`;
  const separator = place.map.flow !== true ? newLine : lead.kind === "blank" && lead.width > 0 ? `,${newLine}` : ", ";
  const at = place.map.flow === true ? valueEnd : line.end;
  const path = [...place.path, key];
  return {
    source: place.source,
    change: { kind: "insert", start: at, end: at, text: `${separator}${written}`, path, old: undefined, new: value },
    expectation: { document: place.document, path, value, insertAfter: behind },
  };
}

/** Takes a value out, with its key and, in block style, its whole line. */
export function removeValue(place: MapPlace, pair: YamlPair): Step {
  refuseShared(place, isAlias(pair.value) ? null : pair.value);
  const [start, end] = place.map.flow === true ? flowSpan(place, pair) : blockSpan(place, pair);
  const path = [...place.path, keyOf(pair)];
  return {
    source: place.source,
    change: { kind: "delete", start, end, text: "", path, old: valueText(pair.value), new: undefined },
    expectation: { document: place.document, path, value: undefined },
  };
}

function blockSpan(place: MapPlace, pair: YamlPair): [number, number] {
  const { text } = place.source;
  const start = startOf(pair.key);
  const line = lineAt(text, endOf(pair));
  const lead = leadOf(text, start);
  const removable = isAlias(pair.value) || styleOf(pair.value) !== undefined;
  if (removable && lead.kind === "blank") {
    const own = lineAt(text, start).start;
    // At the end of a file without a final newline, the line break before goes: the file still ends without one.
    return line.eol === "" && own > 0 ? [lineAt(text, own - 1).end, line.end] : [own, line.next];
  }
  const next = place.map.items[place.map.items.indexOf(pair) + 1];
  if (removable && lead.kind === "dash" && next !== undefined) {
    const nextStart = startOf(next.key);
    if (leadOf(text, nextStart).kind === "blank" && text.slice(line.next, nextStart).trim() === "")
      return [start, nextStart];
  }
  throw unsupported(place, pair.key, `the line of "${keyOf(pair)}" cannot be taken out alone`);
}

function flowSpan(place: MapPlace, pair: YamlPair): [number, number] {
  const { text } = place.source;
  const index = place.map.items.indexOf(pair);
  const [previous, next] = [place.map.items[index - 1], place.map.items[index + 1]];
  const start = startOf(pair.key);
  const isComma = (from: number, to: number): boolean => /^\s*,\s*$/.test(text.slice(from, to));
  if (previous !== undefined && isComma(endOf(previous), start)) return [endOf(previous), endOf(pair)];
  const bare = anchorOf(pair.key) === undefined && tagOf(pair.key) === undefined;
  if (bare && previous === undefined && next !== undefined && isComma(endOf(pair), startOf(next.key)))
    return [start, startOf(next.key)];
  throw unsupported(place, pair.key, `"${keyOf(pair)}" cannot be taken out alone`);
}

function endOf(pair: YamlPair): number {
  const keyEnd = pair.key.range?.[1] ?? 0;
  return Math.max(keyEnd, colonEnd(pair) ?? 0, pair.value?.range?.[1] ?? 0);
}

function colonEnd(pair: YamlPair): number | undefined {
  const colon = pair.srcToken?.sep?.find((token) => token.type === "map-value-ind");
  return colon === undefined ? undefined : colon.offset + 1;
}

/** The text of a value, through an alias where it is one. */
export function valueText(node: Node | null): string | undefined {
  return scalarText(isAlias(node) ? targetOf(node) : node);
}

/** A plain `null` or `true` is not the string of that text. */
function isOtherType(node: Node | null): boolean {
  return isScalar(node) && typeof node.value !== "string" && typeof node.value !== "number";
}

/** Plain where that stays a string, else the quotes that are already used around it; JSON has one kind. */
function neededStyle(slot: Slot, value: string): ScalarStyle {
  if (slot.source.json) return "double";
  if (writeString(value, "plain", { block: isBlock(slot) }) === value) return "plain";
  const styles = slot.holder.items.map((item) => styleOf(isPair<Node, Node | null>(item) ? item.value : item));
  return styles.find((style) => style === "single" || style === "double") ?? "double";
}

function isBlock({ chain }: Slot): boolean {
  return chain.every((node) => !isCollection(node) || node.flow !== true);
}

function refuseUnwritable(place: Pick<Slot, "source">, node: Node | null, value: string): void {
  if (isWritable(value)) return;
  throw refusal(place.source, "edit-unsupported", startOf(node), "the new value does not fit on one line", {
    hint: "Tags, digests and names consist of printable characters.",
  });
}

function unsupported(place: Pick<Slot, "source">, node: Node | null, what: string): GitspanError {
  return refusal(place.source, "edit-unsupported", startOf(node), what, {
    hint: "Write the values as plain `key: value` lines.",
  });
}
