import { describe, expect, test } from "vitest";
import { type ErrorCode, GitspanError } from "../../src/model/errors.ts";
import type { DigestPolicy } from "../../src/model/target.ts";
import type { ImageIntent } from "../../src/overlays/intents.ts";
import { editKustomizeImages } from "../../src/overlays/kustomize-images.ts";

const DIGEST = `sha256:${"f".repeat(64)}` as const;

function refusalOf(text: string, intents: Partial<ImageIntent>[] = [{}], policy?: DigestPolicy): GitspanError {
  const full = intents.map((intent) => ({ repository: "r.io/a", newTag: "v2", ...intent }));
  try {
    editKustomizeImages(text, full, "k.yaml", { policy });
  } catch (error) {
    if (error instanceof GitspanError) return error;
    throw error;
  }
  throw new Error("the edit was made");
}

const head = "images:\n- name: r.io/a\n";

describe("an edit is refused with its place:", () => {
  test.each<[string, string, ErrorCode, string]>([
    ["broken YAML", `${head}  newTag: "v1\n`, "edit-parse", 'k.yaml:4:1: not valid YAML: Missing closing "quote'],
    ["no list", "resources: []\n", "edit-not-found", "k.yaml: no entry of images is for r.io/a"],
    ["no such entry", "images:\n- name: r.io/b\n", "edit-not-found", "k.yaml: no entry of images is for r.io/a"],
    ["an empty file", "", "edit-not-found", "k.yaml: no entry of images is for r.io/a"],
    ["a file that is a list", "- a\n", "edit-not-found", "k.yaml: no entry of images is for r.io/a"],
    ["a document of another kind", `kind: Pod\n${head}`, "edit-not-found", "k.yaml: no entry of images is for r.io/a"],
    [
      "two entries",
      `${head}- name: r.io/a\n`,
      "edit-ambiguous",
      "k.yaml:3:3: a second entry is for r.io/a: - name: r.io/a",
    ],
    [
      "one entry renamed away, one renamed to it",
      `${head}  newName: r.io/b\n- name: c\n  newName: r.io/a\n`,
      "edit-ambiguous",
      "k.yaml:4:3: a second entry is for r.io/a: - name: c",
    ],
    [
      "two lists",
      `${head}images: []\n`,
      "edit-ambiguous",
      "k.yaml:3:1: the list images stands here a second time: images: []",
    ],
    [
      "a key that stands twice",
      `${head}  newTag: v1\n  newTag: v0\n`,
      "edit-ambiguous",
      'k.yaml:4:3: the key "newTag" stands here a second time: newTag: v0',
    ],
    [
      "an anchored value that is used elsewhere",
      `${head}  newTag: &t v1\nx: *t\n`,
      "edit-shared-value",
      "k.yaml:3:14: the value is shared: *t uses it elsewhere in the file: newTag: &t v1",
    ],
    [
      "an anchored entry that is used elsewhere",
      `images:\n- &e\n  name: r.io/a\n  newTag: v1\nx: *e\n`,
      "edit-shared-value",
      "k.yaml:3:3: the value is shared: *e uses it elsewhere in the file: name: r.io/a",
    ],
    [
      "a value from elsewhere",
      `x: &t v1\n${head}  newTag: *t\n`,
      "edit-shared-value",
      "k.yaml:4:11: the value is shared: the value is *t, which stands elsewhere: newTag: *t",
    ],
    [
      "an entry from elsewhere",
      "x: &e {name: r.io/a, newTag: v1}\nimages:\n- *e\n",
      "edit-shared-value",
      "k.yaml:3:3: the value is shared: *e stands for it: - *e",
    ],
    [
      "a list from elsewhere",
      "x: &l\n- name: r.io/a\nimages: *l\n",
      "edit-shared-value",
      "k.yaml:3:9: the value is shared: *l stands for it: images: *l",
    ],
    [
      "a merged entry",
      `x: &m {newTag: v1}\n${head}  <<: *m\n`,
      "edit-unsupported",
      "k.yaml:4:3: the entry takes values from elsewhere (<<): <<: *m",
    ],
    [
      "a block scalar with a line break in its value",
      `${head}  newTag: |\n    v1\n`,
      "edit-unsupported",
      "k.yaml:3:11: only a plain or quoted value of one line can be replaced: newTag: |",
    ],
    [
      "a tagged value",
      `${head}  newTag: !mine v1\n`,
      "edit-unsupported",
      "k.yaml:3:17: only a plain or quoted value of one line can be replaced: newTag: !mine v1",
    ],
    [
      "a map where a tag belongs",
      `${head}  newTag: {a: b}\n`,
      "edit-unsupported",
      "k.yaml:3:11: only a plain or quoted value of one line can be replaced: newTag: {a: b}",
    ],
    [
      "an explicit key",
      "images:\n- ? name\n  : r.io/a\n",
      "edit-unsupported",
      'k.yaml:2:5: no place to put "newTag" behind this: - ? name',
    ],
    [
      "a stale line that shares its line with the dash and a comment below",
      `images:\n- digest: ${DIGEST}\n  # why\n  name: r.io/a\n`,
      "edit-unsupported",
      `k.yaml:2:3: the line of "digest" cannot be taken out alone: - digest: ${DIGEST}`,
    ],
  ])("%s", (_name, text, code, message) => {
    const error = refusalOf(text);
    expect([error.code, error.message]).toEqual([code, message]);
    expect(error.hint).toBeTruthy();
    expect(error.at?.file).toBe("k.yaml");
  });
});

test("the hint of a missing entry names those that are there", () => {
  expect(refusalOf("images:\n- name: r.io/b\n- name: web\n  newName: r.io/c\n").hint).toBe(
    "Entries there: r.io/b, web (newName r.io/c). Add one whose name or newName is r.io/a.",
  );
  expect(refusalOf("kind: Kustomization\n").hint).toBe('Add "images:" with an entry "- name: r.io/a".');
});

test("values that cannot be right are refused before the file is looked at", () => {
  const messages = (
    [
      [{ newTag: "a b" }],
      [{ newTag: undefined }],
      [{ newTag: undefined, digest: "sha256:abc" }],
      [{ newName: "R.io/A:1" }],
      [{}, "digest"],
      [{ newTag: undefined, digest: DIGEST }, "tag"],
    ] as [Partial<ImageIntent>, DigestPolicy?][]
  ).map(([intent, policy]) => {
    const error = refusalOf(head, [intent], policy);
    expect(error.code).toBe("edit-unsupported");
    return error.message;
  });
  expect(messages).toEqual([
    'r.io/a: "a b" is not a tag',
    "r.io/a: there is no tag, digest or name to write",
    'r.io/a: "sha256:abc" is not a sha256 digest',
    'r.io/a: "R.io/A:1" is not an image repository',
    'r.io/a: the policy "digest" asks for a value that the build does not have',
    'r.io/a: the policy "tag" asks for a value that the build does not have',
  ]);
});

test("two intents that want different things of one entry are refused, the same thing twice is not", () => {
  const text = "images:\n- name: r.io/a\n  newName: r.io/b\n  newTag: v1\n";
  expect(refusalOf(text, [{}, { repository: "r.io/b", newTag: "v3" }]).code).toBe("edit-ambiguous");
  const same = [
    { repository: "r.io/a", newTag: "v2" },
    { repository: "r.io/b", newTag: "v2" },
  ];
  expect(editKustomizeImages(text, same, "k.yaml").text).toBe(text.replace("v1", "v2"));
});

describe("a hostile file costs no more than a refusal:", () => {
  test.each([
    ["too long", `# ${"x".repeat(1024 * 1024)}\n`],
    ["flow lists in flow lists", `a: ${"[".repeat(100_000)}`],
    ["closed flow lists", `a: ${"[".repeat(500)}${"]".repeat(500)}`],
    ["dashes behind dashes", `${"- ".repeat(100_000)}x`],
    ["maps in maps", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["many aliases", `a: &a 1\nb: [${"*a,".repeat(2000)}]\n`],
  ])("%s", (_name, text) => {
    expect(refusalOf(text).code).toBe("edit-too-large");
  });

  test("aliases that multiply are never followed", () => {
    const lines = Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`);
    const text = `a0: &a0 [x]\n${lines.join("\n")}\n${head}  newTag: v1\n`;
    const edited = editKustomizeImages(text, [{ repository: "r.io/a", newTag: "v2" }], "k.yaml");
    expect(edited.text).toBe(text.replace("newTag: v1", "newTag: v2"));
  });
});
