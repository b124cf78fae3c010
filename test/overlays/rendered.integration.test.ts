import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { DigestPolicy, KustomizePlace, Place } from "../../src/model/target.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { writeReference } from "../../src/overlays/image-text.ts";
import { imageIntent } from "../../src/overlays/intents.ts";
import { findPeer } from "../tools/peers.ts";
import { NEW, OLD } from "./format-editing.ts";

const POLICIES: DigestPolicy[] = ["tag+digest", "tag", "digest"];
const image = { name: "app", repository: "r.io/app", tag: "v2", digest: NEW };
const EXPECTED = { "tag+digest": `r.io/app:v2@${NEW}`, tag: "r.io/app:v2", digest: `r.io/app@${NEW}` };
/** Tags that some reader of YAML takes for something else. */
const TAGS = ["1.10", "1e3", "0123", "0x1F", "on", "null", "36", "2024-01-02", "12345678901234567890"];

const root = mkdtempSync(join(tmpdir(), "gitspan-rendered-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let serial = 0;

/** Writes the files, lets the tool render them, and gives the images of the result. */
function rendered(program: string, args: readonly string[], files: Record<string, string>): string[] {
  const folder = join(root, String(serial++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const text = execFileSync(program, args, { cwd: folder, encoding: "utf8", env: { HOME: root } });
  return parseAllDocuments(text).flatMap((document) => {
    const data = document.toJS() as { spec: { containers: { image: string }[] } };
    return data.spec.containers.map((container) => container.image);
  });
}

const pod = (reference: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: app, image: "${reference}"}]}\n`;

/** What the edited place says, checked against what the editor then reads. */
function edited(place: Place, before: string, policy: DigestPolicy, tag = "v2"): string {
  const editor = editorOf(place, policy);
  const own = { ...image, tag };
  const { text } = editor.edit(before, [imageIntent(own)], "f.yaml");
  const expected = EXPECTED[policy].replace("v2", tag);
  expect(writeReference(editor.read(text, "r.io/app")!)).toBe(expected);
  return text;
}

const kustomize = findPeer("kustomize");
if ("absent" in kustomize) console.log(`skipped: ${kustomize.absent}`);

describe.skipIf("absent" in kustomize)("kustomize build", () => {
  const build = (files: Record<string, string>) =>
    rendered("path" in kustomize ? kustomize.path : "", ["build", "."], { "pod.yaml": pod("r.io/app:base"), ...files });
  const list = (fields: string) => `resources: [pod.yaml]\nimages:\n- name: r.io/app\n${fields}`;
  const place: KustomizePlace = { format: "kustomize", directory: "" };

  test.each(POLICIES)("runs what the policy %s asks for, whatever stood there", (policy) => {
    for (const fields of ["  newTag: v1\n", `  digest: ${OLD}\n`, `  newTag: v1\n  digest: ${OLD}\n`, ""]) {
      const text = edited(place, list(fields), policy);
      expect(build({ "kustomization.yaml": text })).toEqual([EXPECTED[policy]]);
    }
  });

  test("finds the entry that was added", () => {
    const text = edited({ ...place, add: true }, "resources: [pod.yaml]\n", "tag+digest");
    expect(build({ "kustomization.yaml": text })).toEqual([EXPECTED["tag+digest"]]);
  });

  test.each(TAGS)("takes the tag %s for the text that it is", (tag) => {
    const text = edited(place, list("  newTag: v1\n"), "tag", tag);
    expect(build({ "kustomization.yaml": text })).toEqual([`r.io/app:${tag}`]);
  });

  test.each([
    [
      "strategic merge",
      "patches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: app}\n    spec: {containers: [{name: app, image: 'r.io/app:v1'}]}\n",
    ],
    [
      "JSON6902",
      "patches:\n- target: {kind: Pod}\n  patch: |-\n    - {op: replace, path: /spec/containers/0/image, value: 'r.io/app:v1'}\n",
    ],
  ])("applies an inline %s patch that was edited", (_, patches) => {
    const before = `resources: [pod.yaml]\n${patches}`;
    const text = edited({ format: "patch", file: "f.yaml" }, before, "tag+digest");
    expect(build({ "kustomization.yaml": text })).toEqual([EXPECTED["tag+digest"]]);
  });
});

const helm = findPeer("helm");
if ("absent" in helm) console.log(`skipped: ${helm.absent}`);

describe.skipIf("absent" in helm)("helm template", () => {
  // As charts do it: a tag before an optional digest, and nothing for what is empty.
  const reference =
    "{{ .Values.image.repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}{{ with .Values.image.digest }}@{{ . }}{{ end }}";
  const template = (values: string) =>
    rendered("path" in helm ? helm.path : "", ["template", "x", "chart", "--values", "values.yaml"], {
      "chart/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n",
      "chart/values.yaml": `image: {repository: r.io/other, tag: base, digest: "${OLD}"}\n`,
      "chart/templates/pod.yaml": pod(reference),
      "values.yaml": values,
    });
  const place: Place = { format: "helm", file: "f.yaml" };

  test.each(POLICIES)("runs what the policy %s asks for, over the chart's own values", (policy) => {
    for (const digest of [OLD, ""]) {
      const text = edited(place, `image:\n  repository: r.io/app\n  tag: v1\n  digest: "${digest}"\n`, policy);
      expect(template(text)).toEqual([EXPECTED[policy]]);
    }
  });

  test.each(TAGS)("takes the tag %s for the text that it is", (tag) => {
    const text = edited(place, "image:\n  repository: r.io/app\n  tag: v1\n  digest: ''\n", "tag", tag);
    expect(template(text)).toEqual([`r.io/app:${tag}`]);
  });

  test("keeps the form of one value with both", () => {
    const before = `image: {repository: r.io/app, tag: "v1@${OLD}", digest: null}\n`.replace(", digest: null", "");
    const text = edited(place, before, "tag+digest");
    expect(template(text.replace("}", ', digest: ""}'))).toEqual([EXPECTED["tag+digest"]]);
  });
});
