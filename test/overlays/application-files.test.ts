import { describe, expect, test } from "vitest";
import { isGitspanError } from "../../src/model/errors.ts";
import type { Place } from "../../src/model/target.ts";
import { firstFiles, furtherFiles, placesOfImage, type SourceFiles } from "../../src/overlays/application-files.ts";
import { treeOf } from "../../src/overlays/leads.ts";

const IMAGE = "r.io/web";

function withoutImage(place: Place): object {
  expect(place.image).toBe(IMAGE);
  return Object.fromEntries(Object.entries(place).filter(([key]) => key !== "image"));
}

type Words = Partial<SourceFiles> & { chartElsewhere?: true };

/** Reads as Argo CD would, and says where the image is written. */
function find(files: Record<string, string>, { chartElsewhere, ...words }: Words = {}): unknown {
  const path = chartElsewhere === true ? {} : { path: "app" };
  const source: SourceFiles = { application: "web", valueFiles: [], ...path, ...words };
  const tree = treeOf(Object.keys(files).filter((file) => file.startsWith(`${source.path ?? "-"}/`)));
  const read = new Map<string, string>();
  let open = firstFiles(source, tree);
  while (open.length > 0) {
    const now = open.filter((file) => files[file] !== undefined && !read.has(file));
    for (const file of now) read.set(file, files[file] ?? "");
    open = now.flatMap((file) => furtherFiles(file, files[file] ?? "", tree));
  }
  try {
    return placesOfImage(source, read, IMAGE).map(({ place }) => withoutImage(place));
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return `${error.code}: ${error.message}. ${error.hint ?? ""}`;
  }
}

const pod = `kind: Pod\nspec: {containers: [{name: a, image: "${IMAGE}:v1"}]}\n`;
const entry = `images: [{name: ${IMAGE}, newTag: v1}]\n`;
const values = `image: {repository: ${IMAGE}, tag: v1}\n`;
const chart = { "app/Chart.yaml": "name: web\n" };

describe("of an Application's files", () => {
  test("the kustomization of its path has the last word", () => {
    const files = {
      "app/kustomization.yaml": `resources: [pod.yaml, ../base]\ncomponents: [part]\n${entry}`,
      "app/pod.yaml": pod,
      "app/part/kustomization.yaml": entry,
      "base/kustomization.yaml": entry,
    };
    expect(find(files)).toEqual([{ format: "kustomize", directory: "app" }]);
  });

  test("one that the kustomization leads to is written where that says nothing", () => {
    expect(find({ "app/kustomization.yaml": "components: [part]\n", "app/part/kustomization.yaml": entry })).toEqual([
      { format: "kustomize", directory: "app/part" },
    ]);
    expect(find({ "app/kustomization.yaml": "resources: [pod.yaml]\n", "app/pod.yaml": pod })).toEqual([
      { format: "raw", file: "app/pod.yaml" },
    ]);
    const patched = {
      "app/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
      "app/p.yaml": pod,
    };
    expect(find(patched)).toEqual([{ format: "patch", file: "app/p.yaml" }]);
  });

  test("a base that others share is never written, and what is missing is said", () => {
    const files = { "app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": entry };
    expect(find(files)).toBe(
      `edit-not-found: no file that the Application renders from app says which ${IMAGE} runs. ` +
        `Add to app/kustomization.yaml: images: [{name: ${IMAGE}, newTag: "..."}].`,
    );
  });

  test("two below the path are too many", () => {
    const files = {
      "app/kustomization.yaml": "components: [part]\nresources: [pod.yaml]\n",
      "app/part/kustomization.yaml": entry,
      "app/pod.yaml": pod,
    };
    expect(find(files)).toMatch(/^edit-ambiguous: .*app\/pod.yaml.* say which .* Add an entry for it to images/);
  });

  test("files that nothing leads to do not count", () => {
    expect(find({ "app/kustomization.yaml": entry, "app/forgotten.yaml": pod, "app/old/values.yaml": values })).toEqual(
      [{ format: "kustomize", directory: "app" }],
    );
  });

  test("plain manifests count, in folders below only where Argo CD looks there", () => {
    const files = { "app/a.yaml": pod, "app/deep/b.yaml": pod, "app/readme.md": IMAGE };
    expect(find(files)).toEqual([{ format: "raw", file: "app/a.yaml" }]);
    expect(find(files, { recurse: true })).toEqual([
      { format: "raw", file: "app/a.yaml" },
      { format: "raw", file: "app/deep/b.yaml" },
    ]);
  });

  test("the last values file that has the image counts, then the chart's own", () => {
    const files = { ...chart, "app/values.yaml": values, "app/dev.yaml": values, "env/all.yaml": "a: 1\n" };
    expect(find(files)).toEqual([{ format: "helm", file: "app/values.yaml" }]);
    expect(find(files, { valueFiles: ["dev.yaml", "/env/all.yaml"] })).toEqual([
      { format: "helm", file: "app/dev.yaml" },
    ]);
    expect(find({ "env/dev.yaml": values }, { chartElsewhere: true, valueFiles: ["/env/dev.yaml"] })).toEqual([
      { format: "helm", file: "env/dev.yaml" },
    ]);
  });

  test("a values file with the tag alone would hide what is written before it", () => {
    const files = { ...chart, "app/values.yaml": values, "app/dev.yaml": "image: {tag: v2}\n" };
    expect(find(files, { valueFiles: ["dev.yaml"] })).toMatch(
      /^edit-ambiguous: app\/dev.yaml takes the place of what app\/values.yaml says .* beside its tag/,
    );
  });

  test("Argo CD's own overrides for this Application come first, those for others do not count", () => {
    const own = `kustomize: {images: ["${IMAGE}:v1"]}\n`;
    const files = { "app/kustomization.yaml": entry, "app/.argocd-source-web.yaml": own };
    expect(find(files)).toEqual([{ format: "argocd", file: "app/.argocd-source-web.yaml" }]);
    expect(find({ "app/kustomization.yaml": entry, "app/.argocd-source-other.yaml": own })).toEqual([
      { format: "kustomize", directory: "app" },
    ]);
  });

  test("one that may have the image and cannot be read is said", () => {
    expect(find({ "app/a.yaml": `image: ${IMAGE}: {\n` })).toMatch(/^edit-parse: app\/a.yaml cannot be read: .*Repair/);
    expect(find({ "app/a.yaml": "broken: {\n", "app/b.yaml": pod })).toEqual([{ format: "raw", file: "app/b.yaml" }]);
  });

  test("paths out of the repository, or into what no repository holds, are not looked at", () => {
    for (const path of ["../elsewhere", "app/../../x", ".git/hooks", "a/.GIT"]) {
      expect(find({}, { path })).toMatch(/^edit-not-found/);
    }
  });
});
