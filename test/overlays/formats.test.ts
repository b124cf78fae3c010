import { describe, expect, test } from "vitest";
import { editorOf } from "../../src/overlays/editors.ts";
import { NEW, OLD, refused, to, whole, written } from "./format-editing.ts";

describe("resources", () => {
  const pod = (kind: string, more = "") => `apiVersion: v1
kind: ${kind} # ${more}
metadata: {name: web}
spec:
  initContainers: [{name: init, image: 'r.io/app:v1'}]
  containers:
  - name: app
    image: "r.io/app@${OLD}"   # the app
  - {name: side, image: r.io/side:v1}
  ephemeralContainers:
  - image: r.io/app:v1
`;
  const moved = (text: string) => text.replace(/r\.io\/app(?::v1|@sha256:0+)/g, to("$"));

  test("every container of the image is written, in any kind", () => {
    expect(written({ format: "raw" }, pod("Rollout"))).toEqual({
      text: moved(pod("Rollout")),
      warnings: [],
      read: whole,
    });
  });

  test("lists and several documents are looked into, a resource and a container are told apart", () => {
    const list = `kind: List
items:
- {kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: "r.io/app:v1"}]}}}}}}
- {kind: CronJob, metadata: {name: b}, spec: {template: {containers: [{name: c, image: "r.io/app:v1"}, {name: d, image: "r.io/app:v1"}]}}}
---
kind: CronJob
metadata: {name: c}
spec: {containers: [{name: c, image: "r.io/app:v1"}]}
`;
    const lines = list.split("\n");
    const only = (line: number, from = "r.io/app:v1") =>
      lines.map((text, index) => (index === line ? text.replace(from, to("$")) : text)).join("\n");
    expect(written({ format: "raw" }, list).text).toBe(list.replaceAll("r.io/app:v1", to("$")));
    expect(written({ format: "raw", resource: "CronJob/a" }, list).text).toBe(only(2));
    expect(written({ format: "raw", resource: "CronJob/c" }, list).text).toBe(only(7));
    expect(written({ format: "raw", resource: "CronJob/b", container: "c" }, list).text).toBe(only(3));
    const at = { image: "spec.containers[0].image" };
    expect(written({ format: "raw", at }, list).text).toBe(only(7));
    expect(refused({ format: "raw", at, resource: "CronJob/a" }, list)).toMatch(/^edit-not-found/);
    expect(refused({ format: "raw", container: "e" }, list)).toMatch(/^edit-not-found/);
  });

  test("two documents with one path are told apart by their resource only", () => {
    const text =
      "kind: A\nmetadata: {name: x}\nimage: r.io/app:v1\n---\nkind: A\nmetadata: {name: y}\nimage: r.io/app:v1\n";
    expect(refused({ format: "raw", at: { image: "image" } }, text)).toMatch(/^edit-ambiguous 7:1 /);
    expect(written({ format: "raw", at: { image: "image" }, resource: "A/y" }, text).text).toBe(
      text.replace(/v1\n$/, `v2@${NEW}\n`),
    );
  });

  test("an image without a tag gets one in containers, where nothing else can say it", () => {
    const text =
      "kind: ImageRepository\nimage: r.io/app\ninitContainers: [{image: r.io/app}, {image: r.io/app, tag: v1}]\n";
    const after = text.replace("[{image: r.io/app}", `[{image: ${to("$")}}`).replace("tag: v1", "tag: v2");
    for (const format of ["raw", "patch", "json"] as const) expect(written({ format }, text).text).toBe(after);
    expect(refused({ format: "raw" }, "image: r.io/app\n")).toMatch(/^edit-not-found/);
  });

  test("a block scalar of one line keeps its style", () => {
    const before =
      "a: >-  # long\n    r.io/app:v1\n\nb: {x: 1}\nc:\n  - |-\n   r.io/app:v1\n  - image: >-\n      r.io/app:v1";
    expect(written({ format: "raw" }, before).text).toBe(before.replaceAll("r.io/app:v1", to("$")));
    expect(refused({ format: "yaml", at: { value: "a" } }, "a: |\n  v1\n")).toMatch(/^edit-unsupported 1:4/);
    expect(refused({ format: "yaml", at: { value: "a" } }, "a: >-\n  v1\n  v2\n")).toMatch(/^edit-unsupported 1:4/);
  });

  test("values that differ are not read as one", () => {
    const editor = editorOf({ format: "raw", file: "f.yaml" });
    expect(editor.read("- r.io/app:v1\n- r.io/app:v2\n", "r.io/app")).toBeUndefined();
    expect(editor.read("a: r.io/app:v1\na: r.io/app:v1\n", "r.io/app")).toBeUndefined();
    expect(editor.read("- r.io/app:v1\n- r.io/app:v1\n", "r.io/app")).toEqual({ repository: "r.io/app", tag: "v1" });
  });
});

describe("patches", () => {
  test("inline patches of both kinds are edited as the YAML that they are", () => {
    const before = `kind: Kustomization
patches:
- target: {kind: Deployment}
  patch: |-
    # r.io/app:v1
    - op: test
      path: /spec/template/spec/containers/0/image
      value: r.io/app:v1
    - op: replace
      path: /spec/template/spec/containers/0/image
      value: r.io/app:v1   # moves

    - {op: add, path: /spec/image/repository, value: r.io/app}
    - {op: add, path: /spec/image/tag, value: "v1"}
- patch: '{"spec": {"image": "r.io/app:v1"}}'
- patch: "- op: add\\n  path: /image\\n  value: 'r.io/app:v1'\\n"
patchesStrategicMerge:
- deployment.yaml
- |
  spec:
    containers: [{name: app, image: r.io/app:v1}]
  # end
`;
    const after = before
      .replace("r.io/app:v1   # moves", `${to("$")}   # moves`)
      .replace('value: "v1"', 'value: "v2"')
      .replace('"image": "r.io/app:v1"', `"image": "${to("$")}"`)
      .replace("value: 'r.io/app:v1'", `value: '${to("$")}'`)
      .replace("image: r.io/app:v1}", `image: ${to("$")}}`);
    const result = written({ format: "patch" }, before);
    expect(result.text).toBe(after);
    expect(result.warnings).toEqual([
      "f.yaml: r.io/app is written by its tag alone: the file has no place for a digest",
    ]);
  });

  test("CRLF, missing final newlines and deeper indentation survive in a patch", () => {
    const before = "patches:\r\n  - patch: |\r\n\r\n        spec:\r\n          image: r.io/app:v1";
    expect(written({ format: "patch" }, before).text).toBe(before.replace("r.io/app:v1", to("$")));
  });

  test("a patch in a file of its own needs nothing else", () => {
    const before = "- op: replace\n  path: /spec/image\n  value: r.io/app:v1\n";
    expect(written({ format: "patch" }, before).text).toBe(before.replace("r.io/app:v1", to("$")));
  });

  test("what stands inside is refused with its place in the file", () => {
    const shared = "patches:\n- patch: |\n    a: &x r.io/app:v1\n    b: *x\n    c: {image: *x, tag: *x}\n";
    expect(written({ format: "patch" }, shared).text).toBe(shared.replace("r.io/app:v1", to("$")));
    expect(
      refused({ format: "patch" }, "patches:\n- patch: |\n    a: 1\n    image: r.io/app:v1\n    image: x\n"),
    ).toMatch(/^edit-ambiguous 4:5 f.yaml:4:5: the key "image" stands here a second time: image: r.io\/app:v1$/);
    expect(refused({ format: "patch" }, "x: &p |\n  image: r.io/app:v1\npatches:\n- patch: *p\n")).toMatch(
      /^edit-unsupported 2:10 .*stands inside a text block/,
    );
    expect(refused({ format: "patch" }, 'patches:\n- &p {patch: "image: r.io/app:v1"}\nother: *p\n')).toMatch(
      /^edit-shared-value 2:6 /,
    );
    expect(refused({ format: "patch" }, "patches:\n- patch: >\n    image: r.io/app:v1\n")).toMatch(
      /^edit-unsupported 3:12 /,
    );
    expect(refused({ format: "patch" }, "patches:\n- patch: |\n    image: {{ r.io/app:v1 }\n")).toMatch(
      /^edit-unsupported 3:15 /,
    );
  });
});

describe("Argo CD", () => {
  const application = (values: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app}
spec:
  source:
    kustomize:
      images:
      - r.io/app:v1
      - r.io/app
      - "web=r.io/app@${OLD}"
      - r.io/other:v1
    helm:
      parameters:
      - {name: web.image.repository, value: r.io/app}
      - name: web.image.tag
        value: 'v1'
        forceString: true
      - {name: web.image.digest, value: ""}
      - {name: other.image.tag, value: v1}
      valuesObject:
        image: {registry: r.io, repository: app, tag: v1, digest: ${OLD}}
      values: ${values}
`;

  test("every way of a source to say an image is written", () => {
    const before = application(
      "|\n        # values\n        image:\n          repository: r.io/app\n          tag: v1\n          digest: ''\n",
    );
    const after = before
      .replace("- r.io/app:v1\n", to("- $\n"))
      .replace("- r.io/app\n", to("- $\n"))
      .replace(`web=r.io/app@${OLD}`, to("web=$"))
      .replace("value: 'v1'\n", "value: 'v2'\n")
      .replace('value: ""', `value: "${NEW}"`)
      .replace(`tag: v1, digest: ${OLD}`, `tag: v2, digest: ${NEW}`)
      .replace("tag: v1\n", "tag: v2\n")
      .replace("digest: ''", `digest: '${NEW}'`);
    expect(written({ format: "argocd" }, before)).toEqual({ text: after, warnings: [], read: whole });
    expect(written({ format: "argocd", resource: "Application/app" }, before).text).toBe(after);
    expect(refused({ format: "argocd", resource: "Application/b" }, before)).toMatch(/^edit-not-found/);
  });

  test("an image that goes by another name keeps the name that it runs as", () => {
    const before = "kustomize:\n  images: [r.io/app=mirror.io/app:v1]\n";
    expect(written({ format: "argocd" }, before)).toEqual({
      text: before.replace(":v1", `:v2@${NEW}`),
      warnings: [],
      read: { ...whole, repository: "mirror.io/app" },
    });
  });

  test("elements of generators, config files and source overrides are edited", () => {
    const set =
      "kind: ApplicationSet\nspec:\n  generators:\n  - list:\n      elements:\n      - {cluster: a, image: 'r.io/app:v1'}\n      - {cluster: b, image: {name: r.io/app, tag: v1}}\n";
    expect(written({ format: "argocd" }, set).text).toBe(
      set.replace("r.io/app:v1", to("$")).replace("tag: v1", "tag: v2"),
    );
    const override =
      "helm:\n  parameters:\n  - name: image.name\n    value: r.io/app\n  - name: image.tag\n    value: v1\n";
    expect(written({ format: "argocd" }, override).text).toBe(override.replace("v1", "v2"));
    expect(refused({ format: "argocd" }, "kind: Deployment\nimage: r.io/app:v1\n")).toMatch(/^edit-not-found/);
  });

  test("paths lead into values that are a text", () => {
    const before = application('"image:\\n  tag: v1\\n  name: \\u0072.io/app\\n"').replaceAll("r.io/app", "r.io/none");
    const at = { tag: "spec.source.helm.values.image.tag" };
    expect(written({ format: "argocd", at }, before).text).toBe(before.replace("tag: v1\\n", "tag: v2\\n"));
    expect(refused({ format: "argocd", at: { tag: "spec.source.helm.values.image.tga" } }, before)).toMatch(
      /^edit-not-found 22:16 .*image has no "tga"/,
    );
  });
});
