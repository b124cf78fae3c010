import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isGitspanError } from "../../src/model/errors.ts";
import { splice, type ValuePath } from "../../src/overlays/change.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import type { EditIntent } from "../../src/overlays/intents.ts";
import { edits, inputs, pairs } from "./edit-inputs.ts";

test("every hard case is there", () => {
  expect([pairs.length, inputs.length]).toEqual([69, 38]);
});

describe("a hard case of a real commit is reproduced byte for byte:", () => {
  test.each(pairs)("$case", ({ path, before, after, intents }) => {
    const { text, changes } = editFile(before, intents, path);
    expect(text).toBe(after);
    expect(splice(before, changes)).toBe(text);
  });
});

test("every input without a result is edited", () => {
  expect(inputs.filter((input) => edits.every(([name]) => !input.case.startsWith(name)))).toEqual([]);
});

/** All values of all documents with their paths, as another reader has them. */
function leaves(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) found.set(path, `${typeof value} ${String(value)}`);
    else for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`);
  };
  for (const document of parseAllDocuments(text, { uniqueKeys: false })) visit(document.toJS(), "");
  return found;
}

function inputOf(name: string): { text: string; file: string } {
  const found = inputs.find((input) => input.case.startsWith(name))!;
  return { text: found.input, file: found.path.split("/").at(-1)! };
}

const made = edits.filter((row): row is [string, EditIntent, string[]] => typeof row[2] !== "string");
const refused = edits.filter((row): row is [string, EditIntent, string] => typeof row[2] === "string");

describe("an input is edited at the target alone:", () => {
  test.each(made)("%s %j", (name, intent, expected) => {
    const { text: input, file } = inputOf(name);
    const { text, changes } = editFile(input, [intent], file);
    const [before, after] = [leaves(input), leaves(text)];
    // A value inside a text changes the text.
    const leafOf = (path: ValuePath): string =>
      path.map((_, end) => path.slice(0, end + 1).join(".")).find((key) => before.has(key)) ?? path.join(".");
    expect(changes.map(({ path }) => leafOf(path)).toSorted()).toEqual(expected.toSorted());
    const moved = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
    expect(moved.toSorted()).toEqual(expected.toSorted());
    expect(splice(input, changes)).toBe(text);
    expect(editFile(text, [intent], file)).toEqual({ text, changes: [], warnings: [] });
  });
});

describe("an input that cannot be edited is refused with the reason:", () => {
  test.each(refused)("%s %j", (name, intent, expected) => {
    const { text, file } = inputOf(name);
    const [, code, line, words = ""] = /^(\S+) (\d+): (.*)$/.exec(expected) ?? [];
    const error = refusalOf(text, intent, file);
    expect(error).toMatchObject({ code, at: { file, line: Number(line) } });
    expect(error.message).toContain(words);
  });
});

function refusalOf(text: string, intent: EditIntent, file: string): Error {
  try {
    editFile(text, [intent], file);
  } catch (error) {
    if (isGitspanError(error)) return error;
    throw error;
  }
  throw new Error("it was edited");
}
