import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { SourcePosition } from "../model/errors.ts";
import type { ConfigurationProblem } from "./problems.ts";

export type KeyPath = readonly PropertyKey[];

/** A configuration file as data, and where each part of it stands. */
export interface ConfigurationDocument {
  file: string;
  /** `undefined` when there are problems. */
  value: unknown;
  problems: ConfigurationProblem[];
  /** Where the value stands; for one that is missing, where what should hold it starts. */
  at(path: KeyPath): SourcePosition;
  /** Where the key stands. */
  atKey(path: KeyPath): SourcePosition;
}

const MAX_ALIASES = 100;

/** Reads YAML. What is wrong with it as YAML comes back as problems; nothing is thrown. */
export function readDocument(text: string, file: string): ConfigurationDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
  });
  const position = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const root = document.contents;
  const problems = document.errors.map(({ code, pos, message }): ConfigurationProblem => {
    const text = code === "DUPLICATE_KEY" ? "this key stands here a second time" : `not valid YAML: ${message}`;
    return { code: "config-invalid", at: position(pos[0]), message: text };
  });
  return {
    file,
    problems,
    value:
      problems.length > 0 ? undefined : valueOf(() => document.toJS({ maxAliasCount: MAX_ALIASES }), file, problems),
    at: (path) => position(offsetOf(root, path)),
    atKey: (path) => position(pairOf(root, path)?.key.range?.[0] ?? offsetOf(root, path)),
  };
}

function valueOf(read: () => unknown, file: string, problems: ConfigurationProblem[]): unknown {
  try {
    return read();
  } catch (error) {
    // Unresolved aliases and too many of them are found here.
    const message = `not valid YAML: ${error instanceof Error ? error.message : "unreadable"}`;
    problems.push({ code: "config-invalid", at: { file, line: 1, column: 1 }, message });
    return undefined;
  }
}

function offsetOf(root: Node | null, path: KeyPath): number {
  let node = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    const pair = childPair(node, key);
    const child = pair === undefined ? childItem(node, key) : pair.value;
    if (child === undefined) return offset;
    // An empty value has no place of its own: its key is where people look.
    const empty = child === null || (isScalar(child) && child.value === null && child.range?.[0] === child.range?.[1]);
    offset = (empty ? pair?.key.range?.[0] : child?.range?.[0]) ?? offset;
    // What is missing from a block map is shown at the map's key, not at its first line.
    if (!empty && pair !== undefined && isMap(child) && child.flow !== true) offset = pair.key.range?.[0] ?? offset;
    node = child;
  }
  return offset;
}

function pairOf(root: Node | null, path: KeyPath): Pair<Node, Node | null> | undefined {
  let node = root;
  let pair: Pair<Node, Node | null> | undefined;
  for (const key of path) {
    pair = childPair(node, key);
    node = pair === undefined ? (childItem(node, key) ?? null) : pair.value;
  }
  return pair;
}

function childPair(node: Node | null, key: PropertyKey): Pair<Node, Node | null> | undefined {
  if (!isMap<Node, Node | null>(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

function childItem(node: Node | null, key: PropertyKey): Node | undefined {
  return isSeq<Node>(node) && typeof key === "number" ? node.items[key] : undefined;
}
