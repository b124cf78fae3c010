import { describe, expect, test } from "vitest";
import { isGitspanError } from "../../src/model/errors.ts";
import type { ValuePaths } from "../../src/model/target.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import type { ImageIntent } from "../../src/overlays/intents.ts";

const D = `sha256:${"d".repeat(64)}` as const;
const BOTH: ImageIntent = { repository: "r.io/shop/app", newTag: "v2", digest: D };
const { digest: _digest, ...TAG } = BOTH;
const { newTag: _tag, ...DIGEST } = BOTH;

function refusal(text: string, at?: ValuePaths, intent: ImageIntent = BOTH): string {
  const editor = editorOf({ format: "helm", file: "values.yaml", at });
  try {
    editor.edit(text, [intent], "values.yaml");
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    if (error.hint === undefined) throw new Error("a refusal says what to do", { cause: error });
    return `${error.code} ${error.at?.line}:${error.at?.column} ${error.message.replace(/^values\.yaml(?::\d+:\d+)?: /, "")}`;
  }
  return "edited";
}

describe("found by shape:", () => {
  test.each([
    [
      "nothing names the image",
      "image: {repository: r.io/other, tag: v1}\n",
      "edit-not-found 1:1 nothing here says which r.io/shop/app runs",
    ],
    [
      "the name stands there without tag or digest",
      "image: {repository: r.io/shop/app}\n",
      "edit-not-found 1:1 nothing here says which r.io/shop/app runs",
    ],
    ["an empty file", "", "edit-not-found 1:1 nothing here says which r.io/shop/app runs"],
    [
      "two places",
      "a: {repository: r.io/shop/app, tag: v1}\nb: {image: r.io/shop/app:v1}\n",
      "edit-ambiguous 2:12 a second place is for r.io/shop/app: b: {image: r.io/shop/app:v1}",
    ],
    [
      "two keys for the tag",
      "image: r.io/shop/app\nimageTag: v1\ntag: v1\n",
      "edit-ambiguous 3:1 a second key could be the one that counts: tag: v1",
    ],
    [
      "the key of the tag twice",
      "image:\n  repository: r.io/shop/app\n  tag: v1\n  tag: v1\n",
      "edit-ambiguous 4:3 a second key could be the one that counts: tag: v1",
    ],
    [
      "the map twice",
      "image:\n  repository: r.io/shop/app\n  tag: v1\nimage: {}\n",
      'edit-ambiguous 1:1 the key "image" stands here a second time: image:',
    ],
    [
      "only in a second document",
      "a: 1\n---\nimage: r.io/shop/app:v1\n",
      "edit-not-found 1:1 nothing here says which r.io/shop/app runs",
    ],
    [
      "only in a text",
      "patch: |\n  image: r.io/shop/app:v1\n",
      "edit-unsupported 2:10 r.io/shop/app stands inside a text block that is not looked into: image: r.io/shop/app:v1",
    ],
    [
      "a tag that something else shares",
      "version: &v v1\nimage: {repository: r.io/shop/app, tag: *v}\n",
      "edit-shared-value 2:41 the value is shared: the value is *v, which stands elsewhere: image: {repository: r.io/shop/app, tag: *v}",
    ],
    [
      "a tag that another image shares",
      "image: {repository: r.io/shop/app, tag: &v v1}\nother: *v\n",
      "edit-shared-value 2:8 the value is shared: this would change along, and is not known to be the same image: other: *v",
    ],
    [
      "a map that another name is merged into",
      "a: &a {repository: r.io/shop/app, tag: v1}\nb:\n  <<: *a\n  repository: r.io/x\n",
      "edit-shared-value 3:7 the value is shared: this would change along, and is not known to be the same image: <<: *a",
    ],
    [
      "a tag that is a list",
      "image: {repository: r.io/shop/app, tag: [v1]}\n",
      "edit-unsupported 1:41 only a plain or quoted value of one line can be replaced: image: {repository: r.io/shop/app, tag: [v1]}",
    ],
    [
      "no YAML",
      "image: [",
      "edit-parse 1:9 not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]: image: [",
    ],
  ])("%s", (_, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  test("a digest without a place for it, and a tag without one", () => {
    const tagged = "image: {repository: r.io/shop/app, tag: v1}\n";
    const pinned = "image: {repository: r.io/shop/app, digest: x}\n";
    expect(refusal(tagged, undefined, DIGEST)).toMatch(/^edit-unsupported 1:9 no place for a digest here/);
    expect(refusal(pinned, undefined, TAG)).toMatch(/^edit-unsupported 1:9 no place for the tag here/);
    expect(refusal(pinned, undefined, DIGEST)).toBe("edited");
  });
});

describe("found by paths:", () => {
  const text =
    "image:\n  repository: r.io/other\n  tag: v1\nlist:\n- {name: a, tag: v1}\n- {name: a, tag: v1}\nwhole: r.io/other:v1\n";
  test.each<[string, ValuePaths, string]>([
    ["no such key", { tag: "image.tog" }, 'edit-not-found 1:1 image has no "tog": image:'],
    ["no such map", { tag: "web.tag" }, 'edit-not-found 1:1 the file has no "web"'],
    [
      "no map for the digest",
      { tag: "image.tag", digest: "digests.app" },
      'edit-not-found 1:1 the file has no "digests"',
    ],
    [
      "a value where a map should be",
      { tag: "image.tag.value" },
      'edit-not-found 3:3 image.tag has no "value" (there is the value "v1"): tag: v1',
    ],
    ["no such index", { tag: "list[7].tag" }, "edit-not-found 4:1 list has no [7]: list:"],
    ["no item of that name", { tag: "list[name=z].tag" }, "edit-not-found 4:1 list has no [name=z]: list:"],
    [
      "two items of that name",
      { tag: "list[name=a].tag" },
      "edit-ambiguous 6:3 a second item has name a: - {name: a, tag: v1}",
    ],
    [
      "another image's repository",
      { repository: "image.repository", tag: "image.tag" },
      "edit-not-found 2:15 here stands r.io/other, not r.io/shop/app: repository: r.io/other",
    ],
    [
      "another image's reference",
      { image: "whole" },
      "edit-not-found 7:8 here stands r.io/other, not r.io/shop/app: whole: r.io/other:v1",
    ],
    ["no path at all", { tag: "a..b" }, 'edit-unsupported 1:1 "a..b" is not a path to a value'],
  ])("%s", (_, at, expected) => {
    expect(refusal(text, at)).toBe(expected);
  });

  test("a value that is seen elsewhere, as no path says what it is there", () => {
    expect(refusal("image: &i\n  tag: v1\nother: *i\n", { tag: "image.tag" })).toMatch(/^edit-shared-value 3:8 /);
    expect(refusal("image: &i\n  tag: v1\nother: *i\n", { tag: "other.tag" })).toMatch(/^edit-shared-value 3:8 /);
  });
});

test("two images at one place are refused together", () => {
  const editor = editorOf({ format: "helm", file: "values.yaml", at: { tag: "tag" } });
  const both = [TAG, { repository: "r.io/b", newTag: "v3" }];
  expect(() => editor.edit("tag: v1\n", both, "values.yaml")).toThrow(/two different values are asked for here/);
});

test("what does not stand there for certain is not read, and does not hold", () => {
  const editor = editorOf({ format: "helm", file: "values.yaml" });
  const twice = "a: {image: r.io/shop/app:v2}\nb: {image: r.io/shop/app:v2}\n";
  expect(editor.read(twice, "r.io/shop/app")).toBeUndefined();
  expect(editor.holds(twice, { name: "app", repository: "r.io/shop/app", tag: "v2" })).toBe(false);
  expect(editor.holds("a: [", { name: "app", repository: "r.io/shop/app", tag: "v2" })).toBe(false);
});
