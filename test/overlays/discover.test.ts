import { expect, test } from "vitest";
import { type Discovery, discover, waysTo } from "../../src/overlays/discover.ts";
import { editorOf } from "../../src/overlays/editors.ts";
import { DIGEST, tree } from "./discover-tree.ts";

const found: Discovery = discover(new Map(Object.entries(tree)));

test("every place of every image is found in the form of the configuration", () => {
  const rows = found.places.map(({ reference, place, file, line }) => {
    const { format, ...rest } = place;
    return [reference, `${file}:${line}`, format, "at" in rest ? rest.at : undefined];
  });
  const dev = "apps/shop/overlays/dev";
  const inOrder = (all: unknown[][]) => all.toSorted((a, b) => String(a).localeCompare(String(b)));
  expect(inOrder(rows)).toEqual(
    inOrder([
      ["r.io/shop:v1", "apps/shop/base/deployment.yaml:5", "raw", undefined],
      ["busybox", "apps/shop/base/deployment.yaml:7", "raw", undefined],
      ["r.io/side:v1", "apps/shop/part/kustomization.yaml:2", "kustomize", undefined],
      [`mirror.io/shop:v2@${DIGEST}`, `${dev}/kustomization.yaml:5`, "kustomize", undefined],
      ["r.io/inline:v1", `${dev}/kustomization.yaml:12`, "patch", undefined],
      ["r.io/patched:v1", `${dev}/patch.yaml:1`, "patch", undefined],
      ["r.io/cron:v1", `${dev}/values-dev.yaml:1`, "helm", undefined],
      ["r.io/twice:v1", `${dev}/values-dev.yaml:2`, "helm", { image: "other" }],
      ["r.io/twice:v1", `${dev}/values-dev.yaml:3`, "helm", { image: "more" }],
      ["r.io/over:v1", "argocd/shop.yaml:5", "argocd", undefined],
      ["r.io/string:v1", "argocd/shop.yaml:5", "argocd", undefined],
      ["r.io/param:v1", "argocd/shop.yaml:5", "argocd", undefined],
      ["r.io/web:v1", "shared/values.yaml:1", "helm", undefined],
      ["r.io/late:v1", "shared/values.yaml:3", "yaml", { image: "late" }],
      ["r.io/flux:v1", "flux/release.yaml:2", "raw", undefined],
      ["r.io/json:v1", "config/prod.json:1", "json", undefined],
    ]),
  );
});

test("the editor of every place reads what was found there", () => {
  for (const { place, image, reference, file } of found.places.filter(({ reference: text }) => /[:@]/.test(text))) {
    const read = editorOf(place).read(tree[file]!, image, file);
    expect([file, read && reference.startsWith(read.repository)]).toEqual([file, true]);
    expect(editorOf(place).paths).toContain(file);
  }
});

test("one image alone can be asked for, by any of its spellings", () => {
  const only = (image: string) => discover(new Map(Object.entries(tree)), image).places.map(({ file }) => file);
  expect(only("docker.io/library/busybox")).toEqual(["apps/shop/base/deployment.yaml"]);
  expect(only("mirror.io/shop")).toEqual(["apps/shop/overlays/dev/kustomization.yaml"]);
  expect(only("r.io/none")).toEqual([]);
});

test("what cannot be read is said, and stops nothing", () => {
  expect(found.unread).toEqual([
    { file: "chart/templates/pod.yaml", reason: expect.stringContaining("not valid YAML") as string },
    { file: "ambiguous.yaml", reason: expect.stringContaining("a second key could be the one") as string },
  ]);
});

test("what leads to a file is known: kustomizations, components, patches, values, Applications and their sets", () => {
  const ways = (file: string) =>
    waysTo(found.leads, file).map((way) => way.map(({ from, as }) => `${as} of ${from}`).join(" < "));
  const dev = "apps/shop/overlays/dev/kustomization.yaml";
  const roots = ["argocd/set.yaml#ApplicationSet/all", "argocd/shop.yaml#Application/shop"];
  const under = (own: string) => roots.map((root) => `${own} < source of ${root}`).toSorted();
  expect(ways("apps/shop/base/deployment.yaml").toSorted()).toEqual(
    under(`resource of apps/shop/base/kustomization.yaml < resource of ${dev}`),
  );
  expect(ways("apps/shop/part/kustomization.yaml").toSorted()).toEqual(under(`component of ${dev}`));
  expect(ways("apps/shop/overlays/dev/patch.yaml").toSorted()).toEqual(under(`patch of ${dev}`));
  expect(ways("apps/shop/overlays/dev/values-dev.yaml").toSorted()).toEqual(under(`values of ${dev}`));
  expect(ways("shared/values.yaml")).toEqual(["values of argocd/shop.yaml#Application/shop"]);
  expect(ways("https://github.com/org/remote?ref=v1").toSorted()).toEqual(under(`remote of ${dev}`));
  expect(ways("notes.yaml")).toEqual([]);
});

test("parts that many share do not make ways without end", () => {
  const layers = Array.from({ length: 30 }, (_, layer) =>
    ["a", "b"].map(
      (side) => [`${side}${layer}/kustomization.yaml`, `resources: [../a${layer + 1}, ../b${layer + 1}]\n`] as const,
    ),
  );
  const { leads } = discover(new Map(layers.flat()));
  expect(waysTo(leads, "a29/kustomization.yaml").length).toBeLessThanOrEqual(100);
});

test("sources may be folders of manifests or charts, and circles end", () => {
  const files = new Map([
    ["a/kustomization.yaml", "resources: [../b]\n"],
    ["b/kustomization.yaml", "resources: [../a, ../../out, /c]\n"],
    ["c/one.yaml", "a: 1\n"],
    ["c/deep/two.yaml", "a: 1\n"],
    ["d/Chart.yaml", "name: d\n"],
    ["d/values.yaml", "a: 1\n"],
    ["d/prod.yaml", "a: 1\n"],
    [
      "x.yaml",
      "kind: Application\nmetadata: {name: x}\nspec: {source: {path: ./d, helm: {valueFiles: [prod.yaml]}}}\n",
    ],
    [
      "z.yaml",
      "kind: ApplicationSet\nmetadata: {name: z}\nspec: {generators: [{matrix: {generators: [{git: {files: [{path: 'cfg/**/config.json'}, {path: 'c/*.yaml'}]}}]}}]}\n",
    ],
    ["cfg/x/y/config.json", "{}"],
    ["y.yaml", "kind: ApplicationSet\nspec: {template: {spec: {source: {path: '{{path}}'}}}}\n"],
  ]);
  const { leads } = discover(files);
  expect(waysTo(leads, "a/kustomization.yaml").length).toBeGreaterThan(0);
  expect(leads).toContainEqual({ from: "b/kustomization.yaml", to: "c/one.yaml", as: "resource" });
  expect(leads).not.toContainEqual(expect.objectContaining({ to: "c/deep/two.yaml", from: "b/kustomization.yaml" }));
  expect(leads.filter(({ from }) => from.startsWith("x.yaml")).map(({ to, as }) => `${as} ${to}`)).toEqual([
    "source d/values.yaml",
    "values d/prod.yaml",
  ]);
  expect(leads.filter(({ from }) => from.startsWith("z.yaml")).map(({ to, as }) => `${as} ${to}`)).toEqual([
    "values cfg/x/y/config.json",
    "values c/one.yaml",
  ]);
  expect(leads.filter(({ from }) => from.startsWith("y.yaml#ApplicationSet/?")).map(({ to }) => to)).toContain(
    "c/deep/two.yaml",
  );
});
