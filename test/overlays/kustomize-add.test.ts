import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { splice } from "../../src/overlays/change.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { imageIntent } from "../../src/overlays/intents.ts";

const DIGEST = `sha256:${"d".repeat(64)}` as const;
const image = { name: "a", repository: "r.io/a", tag: "1.10", digest: DIGEST };
const adding = editorOf({ format: "kustomize", directory: "", add: true });

function added(before: string): string {
  const { text, changes } = adding.edit(before, [imageIntent(image)], "kustomization.yaml");
  expect(splice(before, changes)).toBe(text);
  expect(adding.holds(text, image)).toBe(true);
  expect(adding.edit(text, [imageIntent(image)], "kustomization.yaml").changes).toEqual([]);
  expect(adding.read(text, "r.io/a")).toEqual({ repository: "r.io/a", tag: "1.10", digest: DIGEST });
  for (const document of parseAllDocuments(text)) expect(document.errors).toEqual([]);
  return text;
}

const entry = (dash: string, eol = "\n") => {
  const deeper = " ".repeat(dash.length);
  return `${dash}name: r.io/a${eol}${deeper}newTag: "1.10"${eol}${deeper}digest: ${DIGEST}${eol}`;
};

describe("an entry is added where it is allowed", () => {
  test.each([
    ["behind the last one", "images:\n- name: r.io/b\n  newTag: v1\nresources: []\n", "  newTag: v1\n", "- "],
    [
      "indented like it",
      "images:\n    -   name: r.io/b\n        newTag: v1 # x\n\n# end\n",
      "newTag: v1 # x\n",
      "    -   ",
    ],
    ["behind one in flow style", "images:\n  - {name: r.io/b, newTag: v1}\nx: 1\n", "newTag: v1}\n", "  - "],
  ])("%s", (_, before, last, dash) => {
    expect(added(before)).toBe(before.replace(last, last + entry(dash)));
  });

  test("in a list at the end where there is none, as other lists are indented", () => {
    expect(added("resources:\n- a.yaml\n")).toBe(`resources:\n- a.yaml\nimages:\n${entry("- ")}`);
    expect(added("kind: Kustomization\r\nresources:\r\n  - a.yaml\r\n")).toBe(
      `kind: Kustomization\r\nresources:\r\n  - a.yaml\r\nimages:\r\n${entry("  - ", "\r\n")}`,
    );
    expect(added("kind: Kustomization")).toBe(`kind: Kustomization\nimages:\n${entry("- ").trimEnd()}`);
    expect(added("patches:\n- patch: |\n    a: b\n")).toBe(`patches:\n- patch: |\n    a: b\nimages:\n${entry("- ")}`);
  });

  test("but not where one stands", () => {
    const before = `images:\n- name: x\n  newName: r.io/a\n  newTag: v1\n`;
    expect(adding.edit(before, [imageIntent(image)], "k.yaml").text).not.toContain(
      'name: r.io/a\n  newTag: "1.10"\n- ',
    );
    expect(adding.edit(before, [imageIntent(image)], "k.yaml").text.match(/r\.io\/a/g)).toHaveLength(1);
  });

  test("two images get an entry each", () => {
    const other = { ...image, name: "b", repository: "r.io/b" };
    const { text } = adding.edit("images:\n- name: r.io/c\n", [image, other].map(imageIntent), "k.yaml");
    expect(text).toBe(`images:\n- name: r.io/c\n${entry("- ")}${entry("- ").replace("r.io/a", "r.io/b")}`);
  });

  test.each([
    ["it is not", "images:\n- name: r.io/b\n", false, "edit-not-found"],
    ["the list is empty", "images: []\n", true, "edit-unsupported"],
    ["the list is in flow style", "images: [{name: r.io/b}]\n", true, "edit-unsupported"],
    ["there are two documents", "a: 1\n---\nb: 1\n", true, "edit-unsupported"],
    ["it is no kustomization", "kind: Deployment\n", true, "edit-unsupported"],
    ["the list is shared", "images: &i\n- name: r.io/b\nx: *i\n", true, "edit-shared-value"],
    ["the file is empty", "", true, "edit-unsupported"],
  ])("and refused when %s", (_, text, add, code) => {
    const editor = editorOf({ format: "kustomize", directory: "", ...(add ? { add: true as const } : {}) });
    expect(() => editor.edit(text, [imageIntent(image)], "k.yaml")).toThrow(
      expect.objectContaining({ code, at: expect.objectContaining({ file: "k.yaml" }) as object }),
    );
  });
});
