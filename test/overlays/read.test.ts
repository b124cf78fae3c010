import { expect, test } from "vitest";
import { editorOf } from "../../src/overlays/editors.ts";
import { imageIntent } from "../../src/overlays/intents.ts";

const { read, holds, edit } = editorOf({ format: "kustomize", directory: "" });
const digest = `sha256:${"f".repeat(64)}` as const;
const image = { name: "a", repository: "r.io/a", tag: "v1", digest };
const entry = `images:\n- name: r.io/a\n  newTag: v1\n  digest: ${digest}\n`;

test("what stands for a repository is read by name, else by newName", () => {
  expect(read(entry, "r.io/a")).toEqual({ repository: "r.io/a", tag: "v1", digest });
  expect(read("images:\n- name: web\n  newName: r.io/a\n  newTag: 1.10\n", "r.io/a")).toEqual({
    repository: "r.io/a",
    tag: "1.10",
  });
  expect(read("x: &t v1\nimages:\n- name: r.io/a\n  newTag: *t\n  digest:\n", "r.io/a")).toEqual({
    repository: "r.io/a",
    tag: "v1",
  });
});

test("what does not stand there for certain is not read", () => {
  expect(read(entry, "r.io/b")).toBeUndefined();
  expect(read(`${entry}- name: r.io/a\n`, "r.io/a")).toBeUndefined();
  expect(read(`${entry}  newTag: v2\n`, "r.io/a")).toBeUndefined();
  expect(
    read("images:\n- {name: x, newName: r.io/a, newTag: v1}\n- {name: y, newName: r.io/a, newTag: v2}\n", "r.io/a"),
  ).toBeUndefined();
  expect(() => read("images: [", "r.io/a")).toThrow(expect.objectContaining({ code: "edit-parse" }));
});

test("a file holds an image when writing it would change nothing", () => {
  expect(holds(entry, image)).toBe(true);
  expect(holds(entry, { ...image, tag: "v2" })).toBe(false);
  expect(holds(entry, { ...image, digest: undefined })).toBe(false);
  expect(holds(entry.replace(/ {2}digest.*\n/, ""), image)).toBe(false);
  expect(holds(`x: &t v1\nimages:\n- name: r.io/a\n  newTag: *t\n  digest: ${digest}\n`, image)).toBe(true);
});

test("a file that cannot be edited holds nothing", () => {
  expect(holds("images: [", image)).toBe(false);
  expect(holds("", image)).toBe(false);
  expect(holds(`${entry}- name: r.io/a\n`, image)).toBe(false);
});

test("what was written is held", () => {
  const { text } = edit("images:\n- {name: web, newName: r.io/a}\n", [imageIntent(image)], "kustomization.yaml");
  expect(holds(text, image)).toBe(true);
  expect(read(text, "r.io/a")).toEqual({ repository: "r.io/a", tag: "v1", digest });
});
