import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";

function placesOf(images: string, target: string) {
  const text = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories: {gitops: {url: https://git.example.com/gitops}}
environments: {dev: {}}
apps:
  checkout:
    images: ${images}
    targets: {dev: ${target}}
`;
  return loadConfiguration(text, "gitspan.yaml").targets[0]?.places;
}

const ONE = "{checkout: registry.example.com/checkout}";
const TWO = "{checkout: registry.example.com/checkout, worker: registry.example.com/worker}";

test("one file needs one line", () => {
  expect(placesOf(ONE, "{helm: ./apps/checkout/values.yaml}")).toEqual([
    { format: "helm", file: "apps/checkout/values.yaml" },
  ]);
  expect(placesOf(TWO, "{kustomize: apps/checkout}")).toEqual([{ format: "kustomize", directory: "apps/checkout" }]);
});

test("several files are places in their order, each for all images or for one", () => {
  const files = `{files: [
      {helm: v.yaml, image: checkout, at: {repository: image.repository, tag: image.tag, digest: image.digest}},
      {helm: v.yaml, image: worker, at: {image: 'workers[name=main].image'}},
      {kustomize: overlay/}]}`;
  expect(placesOf(TWO, files)).toEqual([
    {
      format: "helm",
      file: "v.yaml",
      image: "registry.example.com/checkout",
      at: { repository: "image.repository", tag: "image.tag", digest: "image.digest" },
    },
    {
      format: "helm",
      file: "v.yaml",
      image: "registry.example.com/worker",
      at: { image: "workers[name=main].image" },
    },
    { format: "kustomize", directory: "overlay" },
  ]);
});

test("every format has a form of its own", () => {
  const forms: [form: string, place: object][] = [
    [
      "{raw: a/d.yaml, resource: Deployment/web, container: web}",
      { format: "raw", file: "a/d.yaml", resource: "Deployment/web", container: "web" },
    ],
    ["{kustomize: k, add: true}", { format: "kustomize", directory: "k", add: true }],
    ["{patch: ./p.yaml}", { format: "patch", file: "p.yaml" }],
    ["{argocd: apps/.argocd-source-x.yaml}", { format: "argocd", file: "apps/.argocd-source-x.yaml" }],
    ["{json: c.json, at: {tag: image.tag}}", { format: "json", file: "c.json", at: { tag: "image.tag" } }],
    ["{flux: f.yaml, marker: 'flux-system:app'}", { format: "flux", file: "f.yaml", marker: "flux-system:app" }],
    ["{yaml: 'v.yaml#a[name=x].tag'}", { format: "yaml", file: "v.yaml", at: { value: "a[name=x].tag" } }],
    [
      "{yaml: v.yaml, resource: A/b, at: {image: a}}",
      { format: "yaml", file: "v.yaml", resource: "A/b", at: { image: "a" } },
    ],
  ];
  expect(placesOf(ONE, `{files: [${forms.map(([form]) => form).join(", ")}]}`)).toEqual(
    forms.map(([, place]) => place),
  );
});

test("containers and resources of one file tell entries apart", () => {
  const files = "{files: [{raw: d.yaml, container: a}, {raw: d.yaml, container: b}]}";
  expect(placesOf(ONE, files)).toHaveLength(2);
});

test("one image may stand at several paths of a file", () => {
  const files = "{files: [{helm: v.yaml, at: {tag: web.tag}}, {helm: v.yaml, at: {tag: worker.tag}}]}";
  expect(placesOf(ONE, files)).toHaveLength(2);
});
