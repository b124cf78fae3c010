import { describe, expect, test } from "vitest";
import type { DigestPolicy } from "../../src/model/target.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { imageIntent } from "../../src/overlays/intents.ts";
import { image, NEW, OLD, refused, to, whole, written } from "./format-editing.ts";

describe("JSON", () => {
  test("stays JSON, byte for byte", () => {
    const before =
      '{\n\t"app": {"image": {"repository": "r.io\\/app", "tag": 36, "digest": null}},\r\n  "b": ["r.io/app:v1"]}';
    expect(written({ format: "json", file: "c.json" }, before).text).toBe(
      before.replace("36", '"v2"').replace("null", `"${NEW}"`).replace("r.io/app:v1", to("$")),
    );
  });

  test("a digest without a line gets one in quotes, and numbers stay numbers only where JSON has them", () => {
    const at = { tag: "image.tag", digest: "image.digest" };
    expect(written({ format: "json", at }, '{"image": {"tag": 36}}').text).toBe(
      `{"image": {"tag": "v2", "digest": "${NEW}"}}`,
    );
    const editor = editorOf({ format: "json", file: "c.json", at: { tag: "tag" } });
    const edit = (tag: string) => editor.edit('{"tag": 36}', [{ repository: "r.io/app", newTag: tag }], "c.json").text;
    expect(edit("37")).toBe('{"tag": 37}');
    expect(edit("037")).toBe('{"tag": "037"}');
    expect(edit("0x1f")).toBe('{"tag": "0x1f"}');
  });
});

describe("Flux's markers", () => {
  const before = `spec:
  image: r.io/app:v1 # {"$imagepolicy": "flux-system:app"}
  args: ["--image=x", r.io/app:v1] # {"$imagepolicy": "flux-system:app"}
  name: r.io/app # {"$imagepolicy": "flux-system:app:name"}
  tag: 'v1' # {"$imagepolicy": "flux-system:app:tag"}
  digest: ${OLD} #{"$imagepolicy":"flux-system:app:digest"}
  other: r.io/app:v1 # {"$imagepolicy": "flux-system:other"}
  far: r.io/app:v1
`;

  test("the values of one policy are written, and no others", () => {
    const lines = before.split("\n");
    const after = [
      lines[0],
      lines[1]!.replace("r.io/app:v1", to("$")),
      lines[2]!.replace("r.io/app:v1", to("$")),
      lines[3],
      lines[4]!.replace("v1", "v2"),
      lines[5]!.replace(OLD, NEW),
      ...lines.slice(6),
    ].join("\n");
    expect(written({ format: "flux", marker: "flux-system:app" }, before)).toEqual({
      text: after,
      warnings: [],
      read: whole,
    });
    expect(refused({ format: "flux", marker: "flux-system:none" }, before)).toMatch(/^edit-not-found/);
  });
});

describe("any YAML path", () => {
  test("what stands there tells whether it is the reference, the digest or the tag", () => {
    const before = `a: {list: [{name: x, v: "r.io/app:v1"}, {name: y, v: '${OLD}'}, {name: z, v: 1.9}]}\n`;
    const at = (item: string) => ({ format: "yaml" as const, at: { value: `a.list[name=${item}].v` } });
    expect(written(at("x"), before).text).toBe(before.replace("r.io/app:v1", to("$")));
    expect(written(at("y"), before).text).toBe(before.replace(OLD, NEW));
    expect(written(at("z"), before).text).toBe(before.replace("1.9", "v2"));
    expect(refused({ format: "yaml", at: { value: "a.list[0].v" } }, before.replace("app:v1", "b:v1"))).toMatch(
      /^edit-not-found 1:25 .*here stands r.io\/b, not r.io\/app/,
    );
  });
});

describe("digest policies", () => {
  test.each<[DigestPolicy, string, string]>([
    ["tag+digest", `r.io/app:v2@${NEW}`, `tag: v2, digest: ${NEW}`],
    ["tag", "r.io/app:v2", 'tag: v2, digest: ""'],
    ["digest", `r.io/app@${NEW}`, `tag: "", digest: ${NEW}`],
  ])("%s", (policy, reference, fields) => {
    expect(written({ format: "raw" }, "image: r.io/app:v1\n", policy).text).toBe(`image: ${reference}\n`);
    expect(written({ format: "helm" }, `i: {repository: r.io/app, tag: v1, digest: ${OLD}}\n`, policy).text).toBe(
      `i: {repository: r.io/app, ${fields}}\n`,
    );
    const kustomize = editorOf({ format: "kustomize", directory: "" }, policy);
    const { text } = kustomize.edit(
      `images:\n- name: r.io/app\n  newTag: v1\n  digest: ${OLD}\n`,
      [imageIntent(image)],
      "kustomization.yaml",
    );
    expect(text.includes("v2")).toBe(policy !== "digest");
    expect(text.includes(NEW)).toBe(policy !== "tag");
    expect(text).not.toContain(OLD);
    expect(kustomize.holds(text, image)).toBe(true);
  });
});
