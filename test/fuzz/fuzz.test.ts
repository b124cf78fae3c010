import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkEdit, type Edit } from "./check-edit.ts";
import { anyEdit } from "./edits.ts";

// `npm run fuzz -- --runs 100000` is the nightly depth; seeds are printed on failure.
const runs = { numRuns: Number(process.env["FC_RUNS"] ?? 300) };

test("generated, real and damaged files are edited as promised or refused with the place", { timeout: 600_000 }, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(anyEdit, (edit) => {
      const outcome = checkEdit(edit);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }),
    runs,
  );
  expect(seen.get("made")).toBeGreaterThan(runs.numRuns / 10);
  expect(seen.get("edit-parse")).toBeGreaterThan(runs.numRuns / 50);
});

const found = JSON.parse(readFileSync(new URL("../golden/overlays/fuzz-found.json", import.meta.url), "utf8")) as {
  found: string;
  edit: Edit;
  outcome: string;
}[];

test.each(found)("found before: $found", ({ edit, outcome }) => {
  expect(checkEdit(edit)).toBe(outcome);
});
