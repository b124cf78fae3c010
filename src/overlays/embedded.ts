import { isMap, isScalar, isSeq, type Node, Scalar } from "yaml";
import { isGitspanError } from "../model/errors.ts";
import { lineAt } from "./lines.ts";
import type { Slot } from "./place.ts";
import { parseSource, type Source } from "./source.ts";
import { walk } from "./walk.ts";

/** Files that others write: a text in a text in a text costs a parse each. */
const MAX_NESTING = 3;

/** A text that is a value of a file and YAML of its own, as `helm.values: |` is. */
interface Embedding {
  slot: Slot;
  /** The place in the host's text of each character, and of the end. */
  offsets: readonly number[];
  /** What the host's text must say so that the value says this. */
  encode(text: string): string;
}

const embeddings = new WeakMap<Source, Embedding>();
const known = new WeakMap<Node, Source | "none">();

/** How a source lies in its host; `undefined` for a file. */
export function embeddingOf(source: Source): Embedding | undefined {
  return embeddings.get(source);
}

/**
 * The YAML that a text value holds. `undefined` for a value that holds no map or list, that is not valid YAML (a
 * template, say), or whose characters cannot be told apart in the file: folded blocks and quoted texts of several lines.
 */
export function embeddedIn(slot: Slot): Source | undefined {
  const { node } = slot;
  if (!isScalar(node) || typeof node.value !== "string" || nesting(slot.source) >= MAX_NESTING) return undefined;
  const earlier = known.get(node);
  if (earlier !== undefined) return earlier === "none" ? undefined : earlier;
  const embedding = /[:[\n]/.test(node.value) ? embed(slot, node, node.value) : undefined;
  const source = embedding === undefined ? undefined : parsed(embedding, node.value);
  known.set(node, source ?? "none");
  return source;
}

/** The source and every text in it that is known to be YAML, outermost first. */
export function sourcesIn(source: Source): Source[] {
  const inner = source.documents.flatMap((_, document) =>
    walk(source, document).slots.flatMap((slot) => (isKnownText(slot) ? (embeddedIn(slot) ?? []) : [])),
  );
  return [source, ...inner.flatMap(sourcesIn)];
}

/**
 * Patches of kustomizations (kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches) and of Flux's
 * Kustomization, `helm.values` of Argo CD's sources and `templatePatch` of its ApplicationSets.
 */
function isKnownText({ path }: Slot): boolean {
  const [key, before, above] = path.toReversed();
  if (key === "patch") return typeof before === "number" && (above === "patches" || above === "patchesJson6902");
  if (typeof key === "number") return before === "patchesStrategicMerge";
  return (key === "values" && before === "helm") || (key === "templatePatch" && before === "spec");
}

function nesting({ host }: Source): number {
  return host === undefined ? 0 : 1 + nesting(host.source);
}

function parsed(embedding: Embedding, value: string): Source | undefined {
  const { slot, offsets } = embedding;
  try {
    const host = { source: slot.source, outward: (offset: number) => offsets[offset] ?? offsets.at(-1) ?? 0 };
    const source = parseSource(value, slot.source.file, host);
    if (!source.documents.some(({ contents }) => isMap(contents) || isSeq(contents))) return undefined;
    embeddings.set(source, embedding);
    return source;
  } catch (error) {
    if (isGitspanError(error)) return undefined;
    throw error;
  }
}

function embed(slot: Slot, node: Scalar, value: string): Embedding | undefined {
  const { text } = slot.source;
  const [from, to] = node.range ?? [0, 0];
  switch (node.type) {
    case Scalar.BLOCK_LITERAL:
      return embedBlock(slot, value, from);
    case Scalar.QUOTE_DOUBLE: {
      const offsets = offsetsBetween(text.slice(from + 1, to - 1), from + 1, DOUBLE, value.length);
      return offsets && { slot, offsets, encode: (inner) => JSON.stringify(inner).slice(1, -1) };
    }
    case Scalar.QUOTE_SINGLE: {
      const offsets = offsetsBetween(text.slice(from + 1, to - 1), from + 1, SINGLE, value.length);
      return offsets && { slot, offsets, encode: (inner) => inner.replaceAll("'", "''") };
    }
    default:
      return undefined;
  }
}

function embedBlock(slot: Slot, value: string, from: number): Embedding | undefined {
  const { text } = slot.source;
  const offsets: number[] = [];
  let at = lineAt(text, from).next;
  let indent: string | undefined;
  const lines = value.split("\n");
  const eol = lineAt(text, from).eol;
  for (const [index, content] of lines.entries()) {
    const line = lineAt(text, at);
    // Behind the last line break the next thing of the file begins.
    const start = index > 0 && index === lines.length - 1 && content === "" ? at : line.end - content.length;
    if (!text.startsWith(content, start) || start < at) return undefined;
    if (content !== "") indent ??= text.slice(at, start);
    for (let offset = 0; offset <= content.length; offset++) offsets.push(start + offset);
    at = line.next;
  }
  return { slot, offsets, encode: (inner) => inner.replaceAll("\n", `${eol}${indent ?? ""}`) };
}

// One character of the value as it is written: an escape or itself. A line break of the file is neither.
const DOUBLE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0abtnvfre"/\\ N_LP\t])|[^\\\n\r]/gy;
const SINGLE = /''|[^'\n\r]/gy;

function offsetsBetween(written: string, from: number, character: RegExp, length: number): number[] | undefined {
  const matches = [...written.matchAll(character)];
  const offsets = [...matches.map(({ index }) => from + index), from + written.length];
  const complete = matches.reduce((sum, [text]) => sum + text.length, 0) === written.length;
  return complete && offsets.length === length + 1 ? offsets : undefined;
}
