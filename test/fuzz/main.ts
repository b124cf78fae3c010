/** `npm run fuzz -- [--runs N] [--seed S]`: the editors' promises over generated, real and damaged files. */
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { checkEdit } from "./check-edit.ts";
import { anyEdit } from "./edits.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "10000" }, seed: { type: "string" } },
});
const seed = values.seed === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(values.seed);
const outcomes = new Map<string, number>();
const started = performance.now();
const result = fc.check(
  fc.property(anyEdit, (edit) => {
    const outcome = checkEdit(edit);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }),
  { numRuns: Number(values.runs), seed },
);
for (const [outcome, count] of [...outcomes].toSorted((a, b) => b[1] - a[1])) console.log(`${outcome}: ${count}`);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${result.numRuns} runs, seed ${seed}, ${seconds} s, ${result.failed ? 1 : 0} violations`);
if (result.failed) {
  console.error(result.errorInstance);
  console.error(JSON.stringify(result.counterexample?.[0], null, 2));
  process.exitCode = 1;
}
