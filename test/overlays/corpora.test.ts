import { describe, expect, test } from "vitest";
import { splice } from "../../src/overlays/change.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import type { EditIntent } from "../../src/overlays/intents.ts";
import { type CorpusRow, repeated, requestOf } from "../tools/corpus-rows.ts";
import { goldenRows } from "./golden-rows.ts";

function edit(text: string, row: CorpusRow, intents = requestOf(row).intents) {
  return editFile(text, intents as unknown as EditIntent[], row.path);
}

/** The commit left a number-like tag without quotes where a text stood before; ours get them. */
function isPolicy(row: CorpusRow): boolean {
  return row.flags.some((flag) => flag.startsWith("non-string-core:"));
}

describe.each([
  ["helm-values", 520, 1],
  ["raw-manifests", 110, 0],
  ["marker-comments", 130, 0],
  ["other-yaml", 170, 0],
  ["kustomize-refs", 180, 0],
])("%s", (name, count, policyRows) => {
  const rows = goldenRows<CorpusRow>(name);

  test("every real commit is reproduced byte for byte, and a second time changes nothing", { timeout: 60_000 }, () => {
    expect(rows).toHaveLength(count);
    const [wrong, again]: [CorpusRow[], string[]] = [[], []];
    for (const row of rows) {
      const { text, changes } = edit(row.before, row);
      if (text !== row.after || splice(row.before, changes) !== row.after) wrong.push(row);
      const { intents } = requestOf({ ...row, intents: repeated(row.intents) });
      if (edit(text, row, intents).changes.length > 0) again.push(row.id);
    }
    expect(wrong.filter((row) => !isPolicy(row)).map((row) => [row.id, row.flags])).toEqual([]);
    expect(wrong).toHaveLength(policyRows);
    expect(again).toEqual([]);
  });
});
