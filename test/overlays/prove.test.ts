import { expect, test } from "vitest";
import type { Change } from "../../src/overlays/change.ts";
import { type Expectation, prove } from "../../src/overlays/prove.ts";
import { parseSource } from "../../src/overlays/source.ts";

const before = "a: x\nb: [1, two]\nc: &k y\nd: *k\n";
const path = ["a"];

function proof(change: Partial<Change>, expected: Partial<Expectation>, after?: string) {
  const source = parseSource(before, "f.yaml");
  const full: Change = { kind: "replace", start: 3, end: 4, text: "z", path, old: "x", new: "z", ...change };
  const text = after ?? before.slice(0, full.start) + full.text + before.slice(full.end);
  return () => prove(source, text, [full], [{ document: 0, path, value: "z", ...expected }]);
}

const unproven = (what: string) =>
  expect.objectContaining({ code: "edit-unproven", message: expect.stringContaining(what) });

test("a replaced value is proven", () => {
  expect(proof({}, {})).not.toThrow();
});

test.each([
  ["bytes outside the splices", proof({}, {}, before.replace("x", "z").replace("two", "three")), "bytes outside"],
  ["another value than the one that was meant", proof({}, { value: "q" }), 'differs at ["a"]'],
  ["another place than the one that was meant", proof({}, { path: ["b", 1] }), 'differs at ["a"]'],
  ["a number where a string stood", proof({ text: "7" }, { value: "7" }), 'differs at ["a"]'],
  ["an anchor that came along", proof({ text: "&q z" }, {}), 'differs at ["a"]'],
  ["a tag that came along", proof({ text: "!q z" }, {}), 'differs at ["a"]'],
  [
    "a value that an alias shows elsewhere",
    proof({ start: 23, end: 24, text: "z" }, { path: ["c"] }),
    'change of ["c"]',
  ],
  ["more nodes than expected", proof({ text: "z\ne: 1" }, {}), "other nodes"],
  ["more documents", proof({ text: "z\n---" }, {}), "number of documents"],
  ["broken YAML", proof({ text: '"z' }, {}), "not valid YAML"],
])("%s is not proven", (_name, run, message) => {
  expect(run).toThrow(unproven(message));
});

test("a number may stay a number where that is said", () => {
  expect(proof({ text: "7" }, { value: "7", anyType: true })).not.toThrow();
});

test("splices that overlap are not proven", () => {
  const source = parseSource(before, "f.yaml");
  const change = { kind: "replace", start: 0, end: 4, text: "a: z", path, old: "x", new: "z" } as const;
  const changes = [change, { ...change, start: 3, end: 3, text: "" }];
  expect(() => prove(source, `a: z${before.slice(3)}`, changes, [])).toThrow(unproven("overlap"));
});

test("insertions and deletions are proven where they stand", () => {
  const insert: Partial<Change> = { kind: "insert", start: 4, end: 4, text: "\nn: z" };
  expect(proof(insert, { path: ["n"], insertAfter: "a" })).not.toThrow();
  expect(proof(insert, { path: ["n"], insertAfter: "b" })).toThrow(unproven("differs"));
  expect(proof({ kind: "delete", start: 0, end: 5, text: "" }, { value: undefined })).not.toThrow();
  expect(proof({ kind: "delete", start: 0, end: 17, text: "" }, { value: undefined })).toThrow(unproven("other nodes"));
});
