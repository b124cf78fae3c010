import { describe, expect, test } from "vitest";
import { isGitspanError } from "../../src/model/errors.ts";
import { editFile } from "../../src/overlays/edit-file.ts";
import type { EditIntent } from "../../src/overlays/intents.ts";

const bump: EditIntent = { op: "bump", image: "r.io/app", newTag: "v2" };

function outcome(text: string, intent = bump): string {
  try {
    return `${editFile(text, [intent], "f.yaml").changes.length} changes`;
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return `${error.code} ${error.at?.file}:${error.at?.line}`;
  }
}

/** Each level shows the one before nine times: 9^20 values if anything ever expanded them. */
const laughs = `a0: &a0 {image: "r.io/app:v1"}\n${Array.from(
  { length: 20 },
  (_, level) => `a${level + 1}: &a${level + 1} [${Array.from({ length: 9 }, () => `*a${level}`).join(", ")}]\n`,
).join("")}`;

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("");

/** Texts in texts: each level is a patch of the one around it. */
function nested(levels: number): string {
  if (levels === 0) return "image: r.io/app:v1\n";
  const inner = nested(levels - 1)
    .replaceAll(/^/gm, "    ")
    .trimEnd();
  return `patches:\n- patch: |\n${inner}\n`;
}

// What is not limited shows in the time-out.
describe("a hostile file costs a refusal, or little time:", () => {
  test.each<[string, string, string]>([
    ["too many characters", `image: r.io/app:v1\n#${"x".repeat(1024 * 1024)}`, "edit-too-large f.yaml:1"],
    ["lists in lists", `a: r.io/app:v1\nb: ${"[".repeat(5000)}${"]".repeat(5000)}\n`, "edit-too-large f.yaml:2"],
    ["maps in maps", lines(200, (i) => `${" ".repeat(i)}a:\n`), "edit-too-large f.yaml:101"],
    ["too many documents", `image: r.io/app:v1\n${"---\n".repeat(50_000)}`, "edit-too-large f.yaml:1"],
    ["too many aliases", `a: &a r.io/app:v1\nb: [${"*a,".repeat(2000)}]\n`, "edit-too-large f.yaml:1"],
    ["aliases of aliases", laughs, "1 changes"],
    ["an alias of itself", "a: &a {image: r.io/app:v1, b: *a}\n", "1 changes"],
    ["too many places", lines(3000, () => "- r.io/app:v1\n"), "edit-too-large f.yaml:1001"],
    ["many similar keys", lines(12_000, (i) => `a${i}image: r.io/app\na${i}tags: v1\n`), "edit-not-found f.yaml:1"],
    ["one key many times", lines(20_000, () => "image: r.io/app\n"), "edit-not-found f.yaml:1"],
    ["texts three levels deep", nested(3), "1 changes"],
    ["texts deeper than that", nested(4), "edit-unsupported f.yaml:9"],
    ["a key without an end", `? ${"a".repeat(500_000)}\n: r.io/app:v1\n`, "1 changes"],
    ["a text full of the image", `a: |\n${lines(20_000, () => "  r.io/app:v1\n")}`, "edit-unsupported f.yaml:2"],
  ])("%s", { timeout: 20_000 }, (_, text, expected) => {
    expect(outcome(text)).toBe(expected);
  });
});

test("keys that every object has are only keys", () => {
  const text = "__proto__: {image: r.io/app:v1}\nconstructor: r.io/app:v1\ntoString: {name: r.io/app, tag: v1}\n";
  expect(editFile(text, [bump], "f.yaml").text).toBe(text.replaceAll("v1", "v2"));
  expect(outcome("a: 1\n", { op: "set-value", path: ["__proto__", "x"], new: "y" })).toBe("edit-not-found f.yaml:1");
});
