import { type Alias, isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import { GitspanError } from "../model/errors.ts";
import { formatSelector, type SelectorStep } from "../model/selector.ts";
import { embeddedIn } from "./embedded.ts";
import { targetOf } from "./nodes.ts";
import { keyTwice, type MapPlace, pairsNamed, type Slot, slotOf, startOf } from "./place.ts";
import { scalarText } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";

/** How far a way could be followed. */
export type Located =
  | { kind: "found"; slot: Slot }
  /** The map of the last step is there, its key is not. */
  | { kind: "key-missing"; place: MapPlace; key: string; error: GitspanError }
  | { kind: "missing"; error: GitspanError };

/**
 * Follows a way through one document, and on through a text in it that is YAML. Throws `edit-ambiguous` where two things answer to a step; a way that ends early is
 * no error yet.
 */
export function locate(source: Source, document: number, steps: readonly SelectorStep[]): Located {
  let through: Alias | undefined;
  let node: Node | null = source.documents[document]?.contents ?? null;
  let slot: Slot | undefined;
  for (const [index, step] of steps.entries()) {
    if (isAlias(node)) {
      through ??= node;
      node = targetOf(node) ?? null;
    }
    const text = slot === undefined || !isScalar(node) ? undefined : embeddedIn({ ...slot, node });
    if (text !== undefined) return locate(text, 0, steps.slice(index));
    const way = { source, document, path: slot?.path ?? [], chain: slot?.chain ?? [], through };
    const isLast = index === steps.length - 1;
    const error = (): GitspanError => missing(source, slot, steps.slice(0, index), step);
    if (isMap<Node, Node | null>(node) && typeof step !== "object") {
      const place: MapPlace = { ...way, chain: [...way.chain, node], map: node };
      const [pair, second] = pairsNamed(node, String(step));
      if (second !== undefined) throw keyTwice(source, second.key);
      if (pair === undefined && isLast) return { kind: "key-missing", place, key: String(step), error: error() };
      if (pair === undefined) return { kind: "missing", error: error() };
      slot = slotOf(place, pair);
    } else if (isSeq<Node>(node)) {
      const at = indexOf(source, node.items, step);
      const item = at === undefined ? undefined : node.items[at];
      if (at === undefined || item === undefined) return { kind: "missing", error: error() };
      slot = { ...way, chain: [...way.chain, node], path: [...way.path, at], node: item, holder: node };
    } else {
      return { kind: "missing", error: error() };
    }
    node = slot.node;
  }
  if (slot === undefined) return { kind: "missing", error: missing(source, undefined, [], "") };
  return { kind: "found", slot };
}

function indexOf(source: Source, items: readonly Node[], step: SelectorStep): number | undefined {
  if (typeof step === "number") return step;
  if (typeof step === "string") return /^\d{1,6}$/.test(step) ? Number(step) : undefined;
  const found = [...items.keys()].filter((index) => {
    const item = items[index] ?? null;
    const map = isAlias(item) ? targetOf(item) : item;
    if (!isMap<Node, Node | null>(map)) return false;
    return pairsNamed(map, step.key).some((pair) => valueText(pair.value) === step.value);
  });
  const second = items[found[1] ?? -1];
  if (second === undefined) return found[0];
  throw refusal(source, "edit-ambiguous", startOf(second), `a second item has ${step.key} ${step.value}`, {
    hint: "Give each item a name of its own, or say which by its index.",
  });
}

function missing(
  source: Source,
  last: Slot | undefined,
  before: readonly SelectorStep[],
  step: SelectorStep,
): GitspanError {
  const what = typeof step === "string" ? `no "${step}"` : `no ${formatSelector([step])}`;
  const where = formatSelector(before);
  const at = last?.pair?.key ?? last?.node ?? null;
  const value = last === undefined ? undefined : scalarText(last.node);
  const instead = value === undefined ? "" : ` (there is the value ${JSON.stringify(value)})`;
  const hint = "Correct the path, or write the value into the file by hand first: gitspan changes what stands there.";
  if (last !== undefined) {
    return refusal(source, "edit-not-found", startOf(at), `${where} has ${what}${instead}`, { hint });
  }
  return new GitspanError("edit-not-found", `${source.file}: the file has ${what}`, {
    hint,
    at: { file: source.file, line: 1, column: 1 },
  });
}
