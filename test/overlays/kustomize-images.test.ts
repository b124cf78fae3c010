import { describe, expect, test } from "vitest";
import type { DigestPolicy } from "../../src/model/target.ts";
import type { ImageIntent } from "../../src/overlays/intents.ts";
import { editKustomizeImages } from "../../src/overlays/kustomize-images.ts";

const OLD = `sha256:${"0".repeat(64)}` as const;
const NEW = `sha256:${"f".repeat(64)}` as const;

/** Edits a file with an entry for `r.io/a`; in texts, OLD and NEW stand for digests. */
function edited(before: string, intent: Partial<ImageIntent>, policy?: DigestPolicy) {
  const text = before.replaceAll("OLD", OLD);
  const result = editKustomizeImages(text, [{ repository: "r.io/a", ...intent }], "kustomization.yaml", { policy });
  const after = result.text.replaceAll(OLD, "OLD").replaceAll(NEW, "NEW");
  const again = editKustomizeImages(result.text, [{ repository: "r.io/a", ...intent }], "kustomization.yaml", {
    policy,
  });
  expect(again.changes).toEqual([]);
  return { after, changes: result.changes, warnings: result.warnings };
}

const both = { newTag: "v2", digest: NEW };

describe("tag and digest", () => {
  test.each([
    ["both stand there: both are replaced", "  newTag: v1\n  digest: OLD\n", both, "  newTag: v2\n  digest: NEW\n"],
    ["a missing digest goes behind the tag", "  newTag: v1 # pin\n", both, "  newTag: v2 # pin\n  digest: NEW\n"],
    ["a missing tag goes behind the name", "  digest: OLD\n", both, "  newTag: v2\n  digest: NEW\n"],
    ["an empty entry gets both", "", both, "  newTag: v2\n  digest: NEW\n"],
    ["only a tag: a stale digest goes", "  newTag: v1\n  digest: OLD # old\n", { newTag: "v2" }, "  newTag: v2\n"],
    ["only a digest: a stale tag goes", "  newTag: v1\n  digest: OLD\n", { digest: NEW }, "  digest: NEW\n"],
    ["only a digest in place of a tag", "  newTag: v1\n", { digest: NEW }, "  digest: NEW\n"],
    ["only a tag in place of a digest", "  digest: OLD\n", { newTag: "v2" }, "  newTag: v2\n"],
    ["other fields stay", "  x: 1\n  newTag: v1\n  y: 2\n", both, "  x: 1\n  newTag: v2\n  digest: NEW\n  y: 2\n"],
    ["an empty digest is no digest", "  newTag: v1\n  digest:\n", { newTag: "v2" }, "  newTag: v2\n  digest:\n"],
    ["an empty value is filled", "  newTag: # none yet\n", { newTag: "v2" }, "  newTag: v2 # none yet\n"],
  ])("%s", (_name, before, intent, after) => {
    expect(edited(`images:\n- name: r.io/a\n${before}resources: []\n`, intent).after).toBe(
      `images:\n- name: r.io/a\n${after}resources: []\n`,
    );
  });

  test("the policy may leave one of them out", () => {
    const entry = "images:\n- name: r.io/a\n  newTag: v1\n  digest: OLD\n";
    expect(edited(entry, both, "tag").after).toBe("images:\n- name: r.io/a\n  newTag: v2\n");
    expect(edited(entry, both, "digest").after).toBe("images:\n- name: r.io/a\n  digest: NEW\n");
  });

  test("every splice says what it does and where", () => {
    const { changes } = edited("images:\n- name: r.io/a\n  newTag: v1\n", both);
    expect(changes).toEqual([
      { kind: "replace", start: 33, end: 35, text: "v2", path: ["images", 0, "newTag"], old: "v1", new: "v2" },
      {
        kind: "insert",
        start: 35,
        end: 35,
        text: `\n  digest: ${NEW}`,
        path: ["images", 0, "digest"],
        old: undefined,
        new: NEW,
      },
    ]);
  });
});

describe("form", () => {
  test.each([
    [
      "CRLF",
      "images:\r\n- name: r.io/a\r\n  newTag: v1\r\n",
      "images:\r\n- name: r.io/a\r\n  newTag: v2\r\n  digest: NEW\r\n",
    ],
    [
      "no final newline",
      "images:\n- name: r.io/a\n  newTag: v1",
      "images:\n- name: r.io/a\n  newTag: v2\n  digest: NEW",
    ],
    [
      "byte order mark",
      "\uFEFFimages:\n- name: r.io/a\n  newTag: v1\n",
      "\uFEFFimages:\n- name: r.io/a\n  newTag: v2\n  digest: NEW\n",
    ],
    [
      "quotes",
      `images:\n- name: r.io/a\n  newTag: 'v1'\n`,
      `images:\n- name: r.io/a\n  newTag: 'v2'\n  digest: 'NEW'\n`,
    ],
    [
      "quoted keys",
      `images:\n- "name": "r.io/a"\n  "newTag": "v1"\n`,
      `images:\n- "name": "r.io/a"\n  "newTag": "v2"\n  "digest": "NEW"\n`,
    ],
    [
      "wide dash",
      "images:\n  -   name: r.io/a\n",
      "images:\n  -   name: r.io/a\n      newTag: v2\n      digest: NEW\n",
    ],
    ["name last", "images:\n- newTag: v1\n  name: r.io/a\n", "images:\n- newTag: v2\n  digest: NEW\n  name: r.io/a\n"],
    ["flow map", "images: [{name: r.io/a, newTag: v1}]\n", "images: [{name: r.io/a, newTag: v2, digest: NEW}]\n"],
    [
      "JSON",
      `{"images":[{"name":"r.io/a","newTag":"v1"}]}`,
      `{"images":[{"name":"r.io/a","newTag":"v2", "digest": "NEW"}]}`,
    ],
    [
      "JSON of many lines",
      `{"images": [\n  {\n    "name": "r.io/a",\n    "newTag": "v1"\n  }\n]}\n`,
      `{"images": [\n  {\n    "name": "r.io/a",\n    "newTag": "v2",\n    "digest": "NEW"\n  }\n]}\n`,
    ],
    [
      "an anchor nobody uses",
      "images:\n- name: r.io/a\n  newTag: &t v1\n",
      "images:\n- name: r.io/a\n  newTag: &t v2\n  digest: NEW\n",
    ],
    [
      "tabs in comments",
      "images:\n- name: r.io/a\t#\tx\n  newTag: v1\t#\ty\n",
      "images:\n- name: r.io/a\t#\tx\n  newTag: v2\t#\ty\n  digest: NEW\n",
    ],
    [
      "a directive",
      "%YAML 1.1\n---\nimages:\n- name: r.io/a\n  newTag: v1\n...\n",
      "%YAML 1.1\n---\nimages:\n- name: r.io/a\n  newTag: v2\n  digest: NEW\n...\n",
    ],
    [
      "several documents",
      "kind: ConfigMap\nimages:\n- name: r.io/a\n---\nkind: Component\nimages:\n- name: r.io/a\n  newTag: v1\n",
      "kind: ConfigMap\nimages:\n- name: r.io/a\n---\nkind: Component\nimages:\n- name: r.io/a\n  newTag: v2\n  digest: NEW\n",
    ],
    [
      "duplicate keys elsewhere",
      "x: 1\nx: 2\nimages:\n- name: r.io/a\n  newTag: v1\n- name: b\n  name: c\n",
      "x: 1\nx: 2\nimages:\n- name: r.io/a\n  newTag: v2\n  digest: NEW\n- name: b\n  name: c\n",
    ],
    [
      "aliases elsewhere",
      "a: &x 1\nb: *x\nimages:\n- name: r.io/a\n  newTag: v1\n",
      "a: &x 1\nb: *x\nimages:\n- name: r.io/a\n  newTag: v2\n  digest: NEW\n",
    ],
  ])("%s survives", (_name, before, after) => {
    expect(edited(before, both).after).toBe(after);
  });

  test.each([
    [
      "the last line without a newline",
      "images:\n- name: r.io/a\n  newTag: v1\n  digest: OLD",
      "images:\n- name: r.io/a\n  newTag: v2",
    ],
    [
      "CRLF",
      "images:\r\n- name: r.io/a\r\n  digest: OLD\r\n  newTag: v1\r\n",
      "images:\r\n- name: r.io/a\r\n  newTag: v2\r\n",
    ],
    [
      "behind the dash",
      "images:\n- digest: OLD\n  name: r.io/a\n  newTag: v1\n",
      "images:\n- name: r.io/a\n  newTag: v2\n",
    ],
    [
      "last in a flow map",
      "images: [{name: r.io/a, newTag: v1, digest: OLD}]\n",
      "images: [{name: r.io/a, newTag: v2}]\n",
    ],
    [
      "first in a flow map",
      "images: [{digest: OLD, name: r.io/a, newTag: v1 }]\n",
      "images: [{name: r.io/a, newTag: v2 }]\n",
    ],
  ])("a stale digest is taken out cleanly: %s", (_name, before, after) => {
    expect(edited(before, { newTag: "v2" }).after).toBe(after);
  });
});

describe("which entries", () => {
  test("the name counts before the newName", () => {
    const before = "images:\n- name: app\n  newName: r.io/b\n  newTag: v1\n- name: r.io/a\n  newTag: v1\n";
    expect(edited(before, { newTag: "v2" }).after).toBe(before.replace("r.io/a\n  newTag: v1", "r.io/a\n  newTag: v2"));
  });

  test("every entry that runs the repository under its newName moves", () => {
    const before =
      "images:\n- name: web\n  newName: r.io/a\n  newTag: v1\n- name: job\n  newName: r.io/a\n  newTag: v0\n";
    expect(edited(before, { newTag: "v2" }).after).toBe(before.replace("v1", "v2").replace("v0", "v2"));
  });

  test("an entry that runs under another name is written with a warning", () => {
    const { after, warnings } = edited("images:\n- name: r.io/a\n  newName: mirror/a\n  newTag: v1\n", {
      newTag: "v2",
    });
    expect(after).toContain("newTag: v2");
    expect(warnings).toEqual([
      "kustomization.yaml: r.io/a runs as mirror/a (newName): the values are written for that name",
    ]);
  });

  test("a new name is set, or put behind the name", () => {
    const before = "images:\n- name: r.io/a\n  newTag: v1\n";
    expect(edited(before, { newName: "r.io/b", newTag: "v2" }).after).toBe(
      "images:\n- name: r.io/a\n  newName: r.io/b\n  newTag: v2\n",
    );
    const renamed = "images:\n- name: web\n  newName: r.io/a\n  newTag: v1\n";
    expect(edited(renamed, { newName: "r.io/b", newTag: "v2" }).after).toBe(
      "images:\n- name: web\n  newName: r.io/b\n  newTag: v2\n",
    );
  });

  test("several images move in one edit", () => {
    const before =
      "images:\n- name: r.io/a\n  newTag: v1\n- name: r.io/b\n  newTag: v1\n- name: r.io/c\n  newTag: v1\n";
    const intents = [
      { repository: "r.io/c", newTag: "v3" },
      { repository: "r.io/a", newTag: "v2" },
    ];
    const { text } = editKustomizeImages(before, intents, "kustomization.yaml");
    expect(text).toBe(
      "images:\n- name: r.io/a\n  newTag: v2\n- name: r.io/b\n  newTag: v1\n- name: r.io/c\n  newTag: v3\n",
    );
  });
});

describe("values that look like something else", () => {
  test.each([
    ["1.10", '"1.10"'],
    ["1e3", '"1e3"'],
    ["0123", '"0123"'],
    ["1234567", '"1234567"'],
    ["12e4567", '"12e4567"'],
    ["0x1F", '"0x1F"'],
    ["1_000", '"1_000"'],
    ["on", '"on"'],
    ["y", '"y"'],
    ["null", '"null"'],
    ["2024-01-02", '"2024-01-02"'],
    ["v1.10", "v1.10"],
    ["1.10.2", "1.10.2"],
    ["e3f", "e3f"],
    ["0abc", "0abc"],
    ["nightly", "nightly"],
  ])("a plain string stays a string: %s is written %s", (tag, written) => {
    const { after, warnings } = edited("images:\n- name: r.io/a\n  newTag: v1\n", { newTag: tag });
    expect(after).toBe(`images:\n- name: r.io/a\n  newTag: ${written}\n`);
    expect(warnings).toEqual([]);
  });

  test("the quotes are those that the entry uses already", () => {
    expect(edited("images:\n- name: 'r.io/a'\n  newTag: v1\n", { newTag: "36" }).after).toContain("newTag: '36'\n");
  });

  test("a number that its author left plain stays plain, with a warning", () => {
    const { after, warnings } = edited("images:\n- name: r.io/a\n  newTag: 0.4\n", { newTag: "0.10" });
    expect(after).toContain("newTag: 0.10\n");
    expect(warnings).toEqual([
      "kustomization.yaml: newTag 0.10 is written without quotes, as 0.4 was: YAML reads it as a number",
    ]);
    expect(edited("images:\n- name: r.io/a\n  newTag: 0.4\n", { newTag: "on" }).after).toContain('newTag: "on"\n');
  });

  test("a plain null of the same letters is not the string", () => {
    expect(edited("images:\n- name: r.io/a\n  newTag: null\n", { newTag: "null" }).after).toContain('newTag: "null"\n');
  });
});
