import { describe, expect, test } from "vitest";
import type { FilePlace, ValuePaths } from "../../src/model/target.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { imageIntent } from "../../src/overlays/intents.ts";

const D = `sha256:${"d".repeat(64)}` as const;
const OLD = `sha256:${"0".repeat(64)}` as const;
const IMAGE = { name: "app", repository: "r.io/shop/app" };
const FILE = "values.yaml";

function place(at?: ValuePaths): FilePlace {
  return at === undefined ? { format: "helm", file: FILE } : { format: "helm", file: FILE, at };
}

function edited(
  before: string,
  at?: ValuePaths,
  value: { tag?: string; digest?: typeof D } = { tag: "2.0", digest: D },
) {
  const editor = editorOf(place(at));
  const image = { ...IMAGE, ...value };
  const { text, warnings } = editor.edit(before, [imageIntent(image)], FILE);
  expect(editor.edit(text, [imageIntent(image)], FILE)).toEqual({ text, changes: [], warnings: [] });
  expect(editor.holds(text, image)).toBe(true);
  expect(editor.holds(before, image)).toBe(text === before);
  return { text, warnings, read: editor.read(text, IMAGE.repository) };
}

const both = { repository: IMAGE.repository, tag: "2.0", digest: D };

describe("values of every form are found by their shape:", () => {
  test.each([
    [
      "nested",
      `image:\n  repository: r.io/shop/app\n  tag: v1 # here\n  digest: "${OLD}"\nport: 80\n`,
      `image:\n  repository: r.io/shop/app\n  tag: "2.0" # here\n  digest: "${D}"\nport: 80\n`,
    ],
    [
      "nested with the registry apart",
      `image: {registry: r.io, repository: shop/app, tag: "1.0", digest: ""}\n`,
      `image: {registry: r.io, repository: shop/app, tag: "2.0", digest: "${D}"}\n`,
    ],
    [
      "nested with a name",
      `image:\n  name: r.io/shop/app\n  tag: '1'\n  digest:\n`,
      `image:\n  name: r.io/shop/app\n  tag: '2.0'\n  digest: ${D}\n`,
    ],
    [
      "tag and digest in one value",
      `image:\n  repository: r.io/shop/app\n  tag: v1@${OLD}\n`,
      `image:\n  repository: r.io/shop/app\n  tag: 2.0@${D}\n`,
    ],
    [
      "flat",
      `image: r.io/shop/app\nimageTag: "1.0"\nimageDigest: ${OLD}\n`,
      `image: r.io/shop/app\nimageTag: "2.0"\nimageDigest: ${D}\n`,
    ],
    [
      "flat with a name before",
      `webImageRepository: r.io/shop/app\nwebImageTag: v1\nwebImageDigest: ""\nsideImageTag: v1\n`,
      `webImageRepository: r.io/shop/app\nwebImageTag: "2.0"\nwebImageDigest: "${D}"\nsideImageTag: v1\n`,
    ],
    ["combined", "a:\n  image: r.io/shop/app:v1\n", `a:\n  image: r.io/shop/app:2.0@${D}\n`],
    [
      "combined with a digest",
      `a:\n  - image: 'r.io/shop/app:v1@${OLD}'\n`,
      `a:\n  - image: 'r.io/shop/app:2.0@${D}'\n`,
    ],
    [
      "of a subchart",
      `sub:\n  web:\n    image: {repository: r.io/shop/app, tag: v1, digest: ""}\n`,
      `sub:\n  web:\n    image: {repository: r.io/shop/app, tag: "2.0", digest: "${D}"}\n`,
    ],
    [
      "with a bare digest",
      `image:\n  repository: r.io/shop/app\n  tag: v1\n  digest: ${OLD.slice(7)}\n`,
      `image:\n  repository: r.io/shop/app\n  tag: "2.0"\n  digest: ${D.slice(7)}\n`,
    ],
  ])("%s", (_, before, after) => {
    expect(edited(before)).toEqual({ text: after, warnings: [], read: both });
  });
});

describe("values are found by their paths:", () => {
  test.each<[string, ValuePaths, string, string]>([
    [
      "flat",
      { tag: "imageTag", digest: "imageDigest" },
      "imageTag: v1\nimageDigest: x\n",
      `imageTag: "2.0"\nimageDigest: ${D}\n`,
    ],
    [
      "nested",
      { tag: "web.image.tag", digest: "web.image.digest" },
      "web:\n  image:\n    tag: v1\n    digest: ''\n",
      `web:\n  image:\n    tag: '2.0'\n    digest: '${D}'\n`,
    ],
    [
      "combined",
      { image: "images.web" },
      "images:\n  web: r.io/shop/app\n",
      `images:\n  web: r.io/shop/app:2.0@${D}\n`,
    ],
    [
      "combined and still empty",
      { image: "images.web" },
      'images:\n  web: ""\n',
      `images:\n  web: "r.io/shop/app:2.0@${D}"\n`,
    ],
    [
      "list item by name",
      { image: "containers[name=app].image" },
      "containers:\n- name: side\n  image: r.io/shop/app:v1\n- name: app\n  image: r.io/shop/app:v1\n",
      `containers:\n- name: side\n  image: r.io/shop/app:v1\n- name: app\n  image: r.io/shop/app:2.0@${D}\n`,
    ],
    [
      "list item by index",
      { image: "images[1]" },
      "images: [a:1, r.io/shop/app:1]\n",
      `images: [a:1, r.io/shop/app:2.0@${D}]\n`,
    ],
    [
      "key with a dot",
      { tag: 'global["image.tag"]', digest: "global.image\\.digest" },
      "global:\n  image.tag: v1\n  image.digest: x\n",
      `global:\n  image.tag: "2.0"\n  image.digest: ${D}\n`,
    ],
    [
      "a digest that has no line yet",
      { repository: "image.repository", tag: "image.tag", digest: "image.digest" },
      "image:\n    repository: r.io/shop/app\n    tag: 'v1'\n    pullPolicy: Always\n",
      `image:\n    repository: r.io/shop/app\n    tag: '2.0'\n    digest: '${D}'\n    pullPolicy: Always\n`,
    ],
    [
      "a digest in another map",
      { tag: "tags.web", digest: "digests.web" },
      "tags:\n  web: v1\ndigests:\n  worker: x\n  # end\n",
      `tags:\n  web: "2.0"\ndigests:\n  worker: x\n  web: ${D}\n  # end\n`,
    ],
    [
      "the registry apart",
      { registry: "global.registry", repository: "image.name", tag: "image.tag", digest: "image.digest" },
      "global: {registry: r.io}\nimage: {name: shop/app, tag: v1, digest: x}\n",
      `global: {registry: r.io}\nimage: {name: shop/app, tag: "2.0", digest: ${D}}\n`,
    ],
  ])("%s", (_, at, before, after) => {
    expect(edited(before, at)).toEqual({ text: after, warnings: [], read: both });
  });
});

test("without a place for a digest the tag goes alone, with a warning", () => {
  const before = "image:\n  repository: r.io/shop/app\n  tag: v1\n";
  expect(edited(before)).toEqual({
    text: before.replace("v1", '"2.0"'),
    warnings: ["values.yaml: r.io/shop/app is written by its tag alone: the file has no place for a digest"],
    read: { repository: IMAGE.repository, tag: "2.0" },
  });
  expect(edited(before.replace("v1", "1.0"), { tag: "image.tag" }).warnings).toEqual([
    "values.yaml: tag 2.0 is written without quotes, as 1.0 was: YAML reads it as a number",
    "values.yaml: r.io/shop/app is written by its tag alone: the file has no place for a digest",
  ]);
});

test("what the build does not have must not stand there any more", () => {
  const nested = `image:\n  repository: r.io/shop/app\n  tag: v1\n  digest: "${OLD}"\n`;
  // Emptied, not removed: a values file before this one may have a digest, which would count again.
  expect(edited(nested, undefined, { tag: "v2" }).text).toBe(
    `image:\n  repository: r.io/shop/app\n  tag: v2\n  digest: ""\n`,
  );
  expect(edited(nested, undefined, { digest: D }).text).toBe(
    `image:\n  repository: r.io/shop/app\n  tag: ""\n  digest: "${D}"\n`,
  );
  expect(edited(`image: r.io/shop/app:v1@${OLD}\n`, undefined, { tag: "v2" }).text).toBe("image: r.io/shop/app:v2\n");
  expect(edited(`image: r.io/shop/app:v1@${OLD}\n`, undefined, { digest: D }).text).toBe(`image: r.io/shop/app@${D}\n`);
  expect(edited(`image: {repository: r.io/shop/app, tag: v1@${OLD}}\n`, undefined, { tag: "v2" }).text).toBe(
    "image: {repository: r.io/shop/app, tag: v2}\n",
  );
});

test("comments, line ends, a byte order mark and a missing final newline stay", () => {
  const before =
    "\uFEFF# head\r\nimage:\r\n  repository: r.io/shop/app\t# name\r\n  tag: v1   # tag \r\n\r\n\r\nx:   1";
  expect(edited(before, undefined, { tag: "v2" }).text).toBe(before.replace("v1", "v2"));
});

test("a value that stands for the same image everywhere moves once, and says where", () => {
  const before = "web:\n  image: &img\n    repository: r.io/shop/app\n    tag: v1\nworker:\n  image: *img\n";
  expect(edited(before, undefined, { tag: "v2" })).toMatchObject({
    text: before.replace("v1", "v2"),
    warnings: ["values.yaml: tag changes in line 6 too, by *img"],
  });
});

test("Helm reads the first document only, and so do we", () => {
  const before = "image: r.io/shop/app:v1\n---\nimage: r.io/shop/app:v1\n";
  expect(edited(before, undefined, { tag: "v2" }).text).toBe("image: r.io/shop/app:v2\n---\nimage: r.io/shop/app:v1\n");
});

test("two names of one repository are one image", () => {
  const editor = editorOf(place());
  const image = { repository: "docker.io/library/nginx", newTag: "1.29.1" };
  expect(editor.edit("image: {repository: nginx, tag: 1.28.0}\n", [image], FILE).text).toBe(
    "image: {repository: nginx, tag: 1.29.1}\n",
  );
});
