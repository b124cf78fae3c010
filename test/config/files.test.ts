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

test("one image may stand at several paths of a file", () => {
  const files = "{files: [{helm: v.yaml, at: {tag: web.tag}}, {helm: v.yaml, at: {tag: worker.tag}}]}";
  expect(placesOf(ONE, files)).toHaveLength(2);
});
