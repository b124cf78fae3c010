import { expect, test } from "vitest";
import { candidatePaths, imagesStand, placeImages, standingImages } from "../../src/delivery/places.ts";
import type { ImageValue } from "../../src/model/delivery.ts";
import type { Place, Target } from "../../src/model/target.ts";

const D = `sha256:${"d".repeat(64)}` as const;
const app: ImageValue = { name: "app", repository: "r.io/app", tag: "v2", digest: D };
const worker: ImageValue = { name: "worker", repository: "r.io/worker", tag: "v2", digest: D };

function target(...places: Place[]): Target {
  return {
    id: "shop/prod",
    app: "shop",
    environment: "prod",
    repository: "gitops",
    branch: "main",
    images: [app, worker].map(({ name, repository }) => ({ name, repository })),
    places,
    applications: undefined,
    policy: { settleMs: 0, degradedMs: 0, timeoutMs: 1, expireAfterMs: 1 },
  };
}

function filesOf(texts: Record<string, string>): Map<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]));
}

function textsOf(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));
}

const values = `web:
  image: {registry: r.io, repository: app, tag: v1, digest: ""}
worker:
  tag: v1
`;
const kustomization = "images:\n- {name: r.io/app, newTag: v1}\n- {name: r.io/worker, newTag: v1}\n";
const files = filesOf({ "values.yaml": values, "overlay/kustomization.yaml": kustomization });
const everywhere = target(
  { format: "helm", file: "values.yaml", image: "r.io/app" },
  { format: "helm", file: "values.yaml", image: "r.io/worker", at: { tag: "worker.tag" } },
  { format: "kustomize", directory: "overlay" },
);

test("all files of a target are written together, a file with several places once", () => {
  expect(candidatePaths(everywhere)).toEqual([
    "values.yaml",
    "overlay/kustomization.yaml",
    "overlay/kustomization.yml",
    "overlay/Kustomization",
  ]);
  const placed = placeImages(everywhere, [app, worker], files);
  expect(textsOf(placed.files)).toEqual({
    "values.yaml": `web:\n  image: {registry: r.io, repository: app, tag: v2, digest: "${D}"}\nworker:\n  tag: v2\n`,
    "overlay/kustomization.yaml": `images:\n- {name: r.io/app, newTag: v2, digest: ${D}}\n- {name: r.io/worker, newTag: v2, digest: ${D}}\n`,
  });
  expect(placed).toMatchObject({
    paths: ["values.yaml", "overlay/kustomization.yaml"],
    newImages: [`r.io/app:v2@${D}`, "r.io/worker:v2", `r.io/worker:v2@${D}`],
    oldImages: ["r.io/app:v1", "r.io/worker:v1"],
    warnings: ["values.yaml: r.io/worker is written by its tag alone: the file has no place for a digest"],
  });
  const after = new Map([...files, ...placed.files]);
  expect(imagesStand(everywhere, [app, worker], files)).toBe(false);
  expect(imagesStand(everywhere, [app, worker], after)).toBe(true);
  expect(placeImages(everywhere, [app, worker], after).files.size).toBe(0);
  expect(standingImages(everywhere, [app], after)).toEqual([`r.io/app:v2@${D}`]);
});

test.each([
  ["tag+digest", `r.io/app:v2@${D}`, `tag: v2, digest: ${D}`],
  ["tag", "r.io/app:v2", 'tag: v2, digest: ""'],
  ["digest", `r.io/app@${D}`, `tag: "", digest: ${D}`],
] as const)("every format is written, held and read by the policy %s", (digestPolicy, reference, fields) => {
  const texts: Record<string, string> = {
    "raw.yaml": "kind: Pod\nspec: {containers: [{name: app, image: r.io/app:v1}]}\n",
    "patch.yaml": "patches:\n- patch: |\n    image: r.io/app:v1\n",
    "application.yaml": "kind: Application\nspec: {source: {kustomize: {images: [r.io/app:v1]}}}\n",
    "config.json": '{"image": "r.io/app:v1"}',
    "flux.yaml": 'image: r.io/app:v1 # {"$imagepolicy": "a:b"}\n',
    "any.yaml": "x: {y: r.io/app:v1}\n",
    "values.yaml": "image: {repository: r.io/app, tag: v1, digest: sha256:0}\n",
  };
  const all: Target = {
    ...target(
      { format: "raw", file: "raw.yaml", container: "app" },
      { format: "patch", file: "patch.yaml" },
      { format: "argocd", file: "application.yaml" },
      { format: "json", file: "config.json" },
      { format: "flux", file: "flux.yaml", marker: "a:b" },
      { format: "yaml", file: "any.yaml", at: { value: "x.y" } },
      { format: "helm", file: "values.yaml" },
    ),
    digestPolicy,
  };
  const placed = placeImages(all, [app], filesOf(texts));
  const after = Object.entries(texts).map(([file, text]) => [
    file,
    text.replace("r.io/app:v1", reference).replace("tag: v1, digest: sha256:0", fields),
  ]);
  expect(textsOf(placed.files)).toEqual(Object.fromEntries(after));
  expect([placed.newImages, placed.oldImages]).toEqual([[reference], ["r.io/app:v1"]]);
  expect(imagesStand(all, [app], filesOf(texts))).toBe(false);
  expect(imagesStand(all, [app], placed.files)).toBe(true);
  expect(standingImages(all, [app], placed.files)).toEqual([reference]);
});

test("a build of one image touches only the places of that image", () => {
  const placed = placeImages(everywhere, [worker], files);
  expect(textsOf(placed.files)["values.yaml"]).toBe(values.replace("worker:\n  tag: v1", "worker:\n  tag: v2"));
  const apart = target(
    { format: "helm", file: "a.yaml", image: "r.io/app" },
    { format: "helm", file: "b.yaml", image: "r.io/worker", at: { tag: "tag" } },
  );
  expect(placeImages(apart, [worker], filesOf({ "b.yaml": "tag: v1\n" }))).toMatchObject({ paths: ["b.yaml"] });
});

test("one file that is refused stops all of them", () => {
  const broken = new Map([...files, ...filesOf({ "overlay/kustomization.yaml": "images: [" })]);
  expect(() => placeImages(everywhere, [app, worker], broken)).toThrow(expect.objectContaining({ code: "edit-parse" }));
});

test("a file that is missing, and an image that has no place, are said", () => {
  expect(() => placeImages(everywhere, [app], new Map())).toThrow(
    expect.objectContaining({ code: "git-path-missing", message: "there is no file values.yaml" }),
  );
  const only = target({ format: "helm", file: "values.yaml", image: "r.io/app" });
  expect(() => placeImages(only, [worker], files)).toThrow(/no file of shop\/prod is for r\.io\/worker/);
  expect(imagesStand(only, [worker], files)).toBe(false);
});
