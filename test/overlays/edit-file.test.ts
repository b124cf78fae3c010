import { describe, expect, test } from "vitest";
import { isGitspanError } from "../../src/model/errors.ts";
import { type EditFormat, editFile } from "../../src/overlays/edit-file.ts";
import type { EditIntent } from "../../src/overlays/intents.ts";

const D = `sha256:${"d".repeat(64)}` as const;
const REF = "https://github.com/org/app/config/default?ref=v1";

function edit(text: string, intents: EditIntent[], file = "f.yaml", format: EditFormat = "auto") {
  try {
    const { text: after, warnings } = editFile(text, intents, file, format);
    expect(editFile(after, intents, file, format)).toEqual({ text: after, changes: [], warnings: [] });
    return { after, warnings };
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe("bump", () => {
  const bump = (more: object): EditIntent => ({ op: "bump", image: "r.io/app", newTag: "v2", ...more });

  test("moves every place of an image, in every document, and no other", () => {
    const before = `kind: Deployment
spec: {containers: [{image: r.io/app:v1}, {image: r.io/app-side:v1}, {image: "r.io/app@${D}"}]}
---
# r.io/app:v1
kind: HelmRelease
spec:
  values:
    image: {repository: r.io/app, tag: v1}
    env: [r.io/app:v1, "see r.io/app:v1"]
`;
    const after = `kind: Deployment
spec: {containers: [{image: r.io/app:v2}, {image: r.io/app-side:v1}, {image: "r.io/app:v2"}]}
---
# r.io/app:v1
kind: HelmRelease
spec:
  values:
    image: {repository: r.io/app, tag: v2}
    env: [r.io/app:v2, "see r.io/app:v1"]
`;
    expect(edit(before, [bump({})])).toEqual({ after, warnings: [] });
  });

  test("moves the entry of a kustomization and what stands beside it", () => {
    const before =
      "kind: Kustomization\nimages:\n- name: r.io/app\n  newTag: v1\nhelmCharts:\n- valuesInline: {image: r.io/app:v1}\n";
    expect(edit(before, [bump({})])).toEqual({ after: before.replaceAll("v1", "v2"), warnings: [] });
    expect(edit(before, [bump({})], "f.yaml", "kustomize")).toEqual({
      after: before.replace("v1", "v2"),
      warnings: [],
    });
    expect(edit(before, [bump({})], "f.yaml", "raw")).toEqual({
      after: before.replace("app:v1", "app:v2"),
      warnings: [],
    });
  });

  test("gives an image a new name wherever it has one", () => {
    const before =
      "a: r.io/app:v1\nb: {registry: r.io, repository: app, tag: v1}\nimages:\n- {name: r.io/app, newTag: v1}\n";
    expect(edit(before, [bump({ newName: "r.io/new", digest: D })])).toEqual({
      after: `a: r.io/new:v2@${D}\nb: {registry: r.io, repository: new, tag: v2}\nimages:\n- {name: r.io/app, newName: r.io/new, newTag: v2, digest: ${D}}\n`,
      warnings: ["f.yaml: r.io/app is written by its tag alone: the file has no place for a digest"],
    });
    expect(edit("a: {registry: r.io, repository: app, tag: v1}\n", [bump({ newName: "x.io/new" })])).toMatch(
      /^edit-unsupported: f.yaml:1:21: no place for a name outside of r.io here/,
    );
  });

  test("says what it leaves alone, and refuses what it cannot find", () => {
    const patch = "patch: |\n  image: r.io/app:v1\n";
    expect(edit(`image: r.io/app:v1\n${patch}`, [bump({})])).toEqual({
      after: `image: r.io/app:v2\n${patch}`,
      warnings: ["f.yaml: r.io/app also stands inside a text block (line 3), which stays as it is"],
    });
    expect(edit(`kind: Kustomization\nimages:\n- name: r.io/b\n${patch}`, [bump({})])).toMatch(
      /^edit-unsupported: f.yaml:5:10/,
    );
    expect(edit("images:\n- name: r.io/b\n", [bump({})], "kustomization.yaml")).toBe(
      "edit-not-found: kustomization.yaml: no entry of images is for r.io/app",
    );
    expect(edit("a: 1\n", [bump({})], "f.yaml", "kustomize")).toBe(
      "edit-not-found: f.yaml: no entry of images is for r.io/app",
    );
  });

  test("moves shared values when all that share them are this image", () => {
    const before =
      "x: {image: &i r.io/app:v1}\ny: {image: *i}\nz: &m {image: r.io/app:v1, port: 1}\nw: {<<: *m, port: 2}\n";
    expect(edit(before, [bump({})])).toMatchObject({ after: before.replaceAll("v1", "v2") });
    const tags = "x: {repository: r.io/app, tag: &t v1}\ny: {repository: r.io/app, tag: *t}\n";
    expect(edit(tags, [bump({})])).toMatchObject({ after: tags.replace("v1", "v2") });
    expect(edit(tags.replace("r.io/app, tag: *t", "r.io/b, tag: *t"), [bump({})])).toMatch(
      /^edit-shared-value: f.yaml:2:/,
    );
  });
});

describe("set-ref", () => {
  const text = `kind: Kustomization\nresources:\n- ${REF} # here\n- 'https://github.com/org/app//x?timeout=2m&ref=v1'\n- https://github.com/org/apple?ref=v1\n- "${REF}#no"\n`;
  const set = (more: object): EditIntent => ({ op: "set-ref", newRef: "v2", ...more });

  test.each<[string, object, number[]]>([
    ["one URL", { url: REF, oldRef: "v1" }, [3]],
    ["all URLs of a repository", { url: "https://github.com/org/app" }, [3, 4, 6]],
    ["all URLs of a ref", { oldRef: "v1" }, [3, 4, 5, 6]],
    ["one section", { section: "resources", oldRef: "v1" }, [3, 4, 5, 6]],
  ])("moves the ref of %s, and only its bytes", (_, more, lines) => {
    const after = text
      .split("\n")
      .map((line, index) => (lines.includes(index + 1) ? line.replace("ref=v1", "ref=v2") : line));
    expect(edit(text, [set(more)])).toEqual({ after: after.join("\n"), warnings: [] });
  });

  test("refuses what it cannot find or write", () => {
    expect(edit(text, [set({ section: "bases", oldRef: "v1" })])).toBe(
      "edit-not-found: f.yaml: no URL of bases is for ref v1",
    );
    expect(edit(text, [set({ url: REF, oldRef: "v0" })])).toMatch(/^edit-not-found/);
    expect(edit(text, [set({ oldRef: "v1", newRef: "a b" })])).toMatch(/^edit-unsupported/);
    expect(edit(`resources:\n- "\\x68ttps://h/o/a?ref=v1"\n`, [set({ oldRef: "v1" })])).toMatch(
      /^edit-unsupported: f.yaml:2:3/,
    );
    expect(edit(`resources:\n- &a ${REF}\nbases:\n- *a\n`, [set({ oldRef: "v1" })])).toMatch(/^edit-shared-value/);
    expect(edit("resources: [a.yaml]\nresources: []\n", [set({ oldRef: "v1" })])).toMatch(/^edit-not-found/);
    expect(edit(`kind: Other\nresources:\n- ${REF}\n`, [set({ oldRef: "v1" })])).toMatch(/^edit-not-found/);
  });
});

describe("set-value", () => {
  const set = (path: (string | number)[], more: object = {}): EditIntent => ({
    op: "set-value",
    path,
    new: "x",
    ...more,
  });

  test("sets a value of the document that is meant", () => {
    expect(edit("a: 1\n---\nb: [p, q]\n", [set(["b", 1])])).toEqual({ after: "a: 1\n---\nb: [p, x]\n", warnings: [] });
    expect(edit("a: p\n---\na: p\n", [set(["a"])])).toMatch(
      /^edit-ambiguous: f.yaml:3:1: a second document has this path/,
    );
    expect(edit("a: p\n---\na: p\n", [set(["a"], { doc: 1 })])).toEqual({ after: "a: p\n---\na: x\n", warnings: [] });
    expect(edit("a: p\n", [set(["a"], { doc: 7 })])).toMatch(/^edit-not-found/);
    expect(edit("k: &k key\nm:\n  *k : {v: p}\n", [set(["m", "key", "v"])])).toMatchObject({
      after: "k: &k key\nm:\n  *k : {v: x}\n",
    });
  });

  test("moves a shared value where it stands, and says where else that shows", () => {
    const before = "a: &a {t: p}\nb: *a\nc: {<<: *a}\n";
    expect(edit(before, [set(["a", "t"])])).toEqual({
      after: "a: &a {t: x}\nb: *a\nc: {<<: *a}\n",
      warnings: ["f.yaml: t changes in lines 2, 3 too, by *a"],
    });
    expect(edit(before, [set(["b", "t"])])).toMatch(/^edit-shared-value: f.yaml:2:4/);
  });

  test("keeps a placeholder plain outside of flow collections", () => {
    expect(edit("a: b:1\n", [{ op: "set-value", path: ["a"], new: "${REPO}:${TAG}" }])).toMatchObject({
      after: "a: ${REPO}:${TAG}\n",
    });
    expect(edit("[b:1]\n", [{ op: "set-value", path: [0], new: "${REPO}:${TAG}" }])).toMatchObject({
      after: '["${REPO}:${TAG}"]\n',
    });
  });
});

test("intents of all kinds are carried out together or not at all", () => {
  const before = `resources: ["${REF}"]\nimages:\n- {name: r.io/app, newTag: v1}\n`;
  const intents: EditIntent[] = [
    { op: "set-ref", oldRef: "v1", newRef: "v2" },
    { op: "set-image", name: "r.io/app", fields: { newTag: { new: "v2" } } },
    { op: "bump", image: "r.io/app", newTag: "v2" },
    { op: "set-value", path: ["images", 0, "newTag"], new: "v2" },
  ];
  expect(edit(before, intents)).toEqual({ after: before.replaceAll("v1", "v2"), warnings: [] });
  expect(edit(before, intents.toReversed())).toEqual({ after: before.replaceAll("v1", "v2"), warnings: [] });
  expect(edit(before, [...intents, { op: "set-value", path: ["images", 0, "newTag"], new: "v3" }])).toMatch(
    /^edit-ambiguous/,
  );
  expect(edit(before, [...intents, { op: "set-value", path: ["nothing"], new: "v3" }])).toMatch(/^edit-not-found/);
});
