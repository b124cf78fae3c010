import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unifiedDiff } from "../../src/model/diff.ts";

const SYSTEM_DIFF = "diff";
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gitspan-diff-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the system's diff says. */
function systemDiff(before: string, after: string): string {
  writeFileSync(join(folder, "a"), before);
  writeFileSync(join(folder, "b"), after);
  try {
    return execFileSync(SYSTEM_DIFF, ["-u", "--label", "a/f", "--label", "b/f", "a", "b"], {
      cwd: folder,
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const numbered = Array.from({ length: 40 }, (_, index) => `line ${index}`);
const file = `${numbered.join("\n")}\n`;

test.each([
  ["nothing", file, file],
  ["one line", file, file.replace("line 20", "changed")],
  ["the first and the last line", file, file.replace("line 0\n", "first\n").replace("line 39", "last")],
  ["two changes whose context meets", file, file.replace("line 20", "x").replace("line 27", "y")],
  ["two changes further apart", file, file.replace("line 20", "x").replace("line 28", "y")],
  ["an inserted line", file, file.replace("line 20\n", "line 20\nnew\n")],
  ["a removed line", file, file.replace("line 20\n", "")],
  ["a repeated line", "a\na\nb\n", "a\na\na\nb\n"],
  ["one of equal lines removed", "x\na\na\nb\n", "x\na\nb\n"],
  ["no final newline", "a\nb", "a\nc"],
  ["a final newline added", "a\nb", "a\nb\n"],
  ["a line behind a last one without newline", "a\nb", "a\nb\nc"],
  ["a file that was empty", "", "a\n"],
  ["a file that becomes empty", "a\n", ""],
  ["Windows line ends", "a\r\nb\r\n", "a\r\nc\r\n"],
])("%s is shown as diff -u shows it", (_, before, after) => {
  expect(unifiedDiff("f", before, after)).toBe(systemDiff(before, after));
});

test("random texts give a diff that patch turns back into them", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "d", ""), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff("f", before, after);
      expect(applied(before, diff)).toBe(after);
    }),
    { numRuns: 500 },
  );
});

/** Applies a diff by its line numbers, and checks its context on the way. */
function applied(before: string, diff: string): string {
  const old = before.split(/(?<=\n)/);
  let out = "";
  let next = 0;
  for (const line of diff.split(/(?<=\n)/).slice(2)) {
    const start = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (start !== null) {
      const from = Number(start[1]) - (start[2] === "0" ? 0 : 1);
      out += old.slice(next, from).join("");
      next = from;
      continue;
    }
    if (!line.startsWith("+") && old[next++] !== line.slice(1)) return `the context differs at ${next}`;
    if (!line.startsWith("-")) out += line.slice(1);
  }
  return out + old.slice(next).join("");
}

test("texts without anything in common cost no more than showing both", () => {
  const before = Array.from({ length: 5000 }, (_, index) => `old ${index}\n`).join("");
  const after = Array.from({ length: 5000 }, (_, index) => `new ${index}\n`).join("");
  expect(unifiedDiff("f", before, after).split("\n")).toHaveLength(10_004);
});
