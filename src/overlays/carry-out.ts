import { type Change, type EditResult, inOrder, splice } from "./change.ts";
import { prove } from "./prove.ts";
import { refusal, type Source } from "./source.ts";
import type { Step } from "./steps.ts";

/** What is to be done to a file. */
export interface Plan {
  steps: Step[];
  warnings: string[];
}

/**
 * Makes all steps at once and proves the result. Steps that say the same count once; throws `edit-ambiguous` where two
 * meet and differ, `edit-unproven` when the proof fails.
 */
export function carryOut(source: Source, { steps, warnings }: Plan): EditResult {
  const once = withoutRepeats(source, steps);
  const changes = inOrder(once.map((step) => step.change));
  const text = splice(source.text, changes);
  if (changes.length > 0) {
    prove(
      source,
      text,
      changes,
      once.map((step) => step.expectation),
    );
  }
  return { text, changes, warnings: [...new Set(warnings)] };
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
