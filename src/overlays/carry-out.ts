import { isGitspanError } from "../model/errors.ts";
import { type Change, type EditResult, inOrder, splice } from "./change.ts";
import { embeddingOf } from "./embedded.ts";
import { lineAt } from "./lines.ts";
import { keyTwice, refuseShared } from "./place.ts";
import { prove } from "./prove.ts";
import { refusal, type Source } from "./source.ts";
import type { Step } from "./steps.ts";

/** What is to be done to a file. */
export interface Plan {
  steps: Step[];
  warnings: string[];
}

export function joined(plans: readonly Plan[]): Plan {
  return { steps: plans.flatMap(({ steps }) => steps), warnings: plans.flatMap(({ warnings }) => warnings) };
}

/**
 * Makes all steps at once and proves the result; texts inside the file are proven by themselves first. Steps that say
 * the same count once; throws `edit-ambiguous` where two meet and differ, `edit-unproven` when the proof fails.
 * `again` plans the same for the result, where nothing may be left to do: else what is asked for contradicts itself.
 */
export function carryOut(
  source: Source,
  { steps, warnings }: Plan,
  again: (result: Source) => Plan = () => NOTHING,
): EditResult {
  const own = withoutRepeats(
    source,
    steps.filter((step) => step.source === source),
  );
  const all = [...own, ...innerSteps(source, steps)];
  const changes = inOrder(all.map((step) => step.change));
  const overlap = changes.find(({ start }, index) => start < (changes[index - 1]?.end ?? 0));
  if (overlap !== undefined) throw meeting(source, overlap.start);
  const text = splice(source.text, changes);
  const [first] = changes;
  if (first !== undefined) {
    const expected = all.map((step) => step.expectation);
    const result = prove(source, text, changes, expected);
    if (isUnsettled(result, again)) throw meeting(source, first.start);
  }
  return { text, changes, warnings: [...new Set(warnings)] };
}

export const NOTHING: Plan = { steps: [], warnings: [] };

function isUnsettled(result: Source, again: (result: Source) => Plan): boolean {
  try {
    return again(result).steps.length > 0;
  } catch (error) {
    if (isGitspanError(error)) return true;
    throw error;
  }
}

/** What the steps in texts of the source come to in the source. */
function innerSteps(source: Source, steps: readonly Step[]): Step[] {
  const inner = new Map<Source, Step[]>();
  for (const step of steps) {
    let text = step.source;
    while (text.host !== undefined && text.host.source !== source) text = text.host.source;
    if (text.host !== undefined) inner.set(text, [...(inner.get(text) ?? []), step]);
  }
  return [...inner].flatMap(([text, own]) => outward(text, carryOut(text, { steps: own, warnings: [] })));
}

function outward(inner: Source, result: EditResult): Step[] {
  const embedding = embeddingOf(inner);
  if (embedding === undefined || result.changes.length === 0) return [];
  const { slot, offsets, encode } = embedding;
  const { source, document, path } = slot;
  if (slot.twice !== undefined) throw keyTwice(source, slot.twice);
  refuseShared(slot, slot.node);
  const isBlock = source.text[slot.node?.range?.[0] ?? 0] === "|";
  const place = (offset: number): number => offsets[offset] ?? source.text.length;
  return result.changes.map((change) => {
    const lines = change.kind === "delete" && [change.start, change.end].every((at) => startsLine(inner.text, at));
    // Whole lines go with their indentation.
    const move = (offset: number): number =>
      lines && isBlock ? lineAt(source.text, place(offset)).start : place(offset);
    return {
      source,
      change: {
        ...change,
        start: move(change.start),
        end: move(change.end),
        text: encode(change.text),
        path: [...path, ...change.path],
      },
      expectation: { document, path, value: result.text },
    };
  });
}

function startsLine(text: string, offset: number): boolean {
  return offset === 0 || text[offset - 1] === "\n";
}

function withoutRepeats(source: Source, steps: readonly Step[]): Step[] {
  const byPath = new Map<string, Step>();
  const byStart = new Map<number, Change>();
  for (const step of steps) {
    const { change, expectation } = step;
    const key = JSON.stringify([expectation.document, change.path]);
    const earlier = byPath.get(key);
    const same = earlier?.change.text === change.text && earlier.change.start === change.start;
    const meets = change.kind === "insert" ? undefined : byStart.get(change.start);
    if (earlier === undefined ? meets !== undefined : !same) throw meeting(source, change.start);
    byPath.set(key, step);
    if (change.kind !== "insert") byStart.set(change.start, change);
  }
  return [...byPath.values()];
}

function meeting(source: Source, offset: number): Error {
  return refusal(source, "edit-ambiguous", offset, "two different values are asked for here", {
    hint: "Ask for one.",
  });
}
