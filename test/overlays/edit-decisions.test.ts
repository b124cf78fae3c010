import { expect, test } from "vitest";
import { unifiedDiff } from "../../src/model/diff.ts";
import { isGitspanError } from "../../src/model/errors.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import type { EditIntent } from "../../src/overlays/intents.ts";
import { requestOf } from "../tools/corpus-rows.ts";
import { edits, inputs, pairs } from "./edit-inputs.ts";

/** What becomes of one case, as people read it. */
function decision(name: string, file: string, text: string, intents: readonly EditIntent[]): string {
  const head = [`## ${name}`, ...intents.map((intent) => JSON.stringify(intent))];
  try {
    const { text: after, warnings } = editFile(text, intents, file);
    return [...head, ...warnings.map((warning) => `warning: ${warning}`), unifiedDiff(file, text, after)].join("\n");
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return [...head, `refused: ${error.code}: ${error.message}`, `hint: ${error.hint}`, ""].join("\n");
  }
}

const file = (path: string): string => path.split("/").at(-1) ?? path;

test("every hard case is decided as test/golden/overlays/edit-decisions.txt says", async () => {
  const made = pairs.map((row) => {
    const { intents } = requestOf({ id: row.case, ...row, intents: row.intents.map((intent) => ({ ...intent })) });
    return decision(row.case, file(row.path), row.before, intents as unknown as EditIntent[]);
  });
  const others = edits.map(([name, intent]) => {
    const input = inputs.find((one) => one.case.startsWith(name))!;
    return decision(input.case, file(input.path), input.input, [intent]);
  });
  expect([made.length, others.length]).toEqual([69, edits.length]);
  const visible = [...made, ...others].join("\n").replaceAll("\r", "␍").replaceAll("\uFEFF", "<BOM>");
  await expect(visible).toMatchFileSnapshot("../golden/overlays/edit-decisions.txt");
});
