import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";
import { settingsOf } from "../../src/config/settings.ts";
import type { Artifact } from "../../src/model/build.ts";

const TEXT = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories:
  gitops: {url: https://git.example.com/gitops}
argocd:
  main: {kubernetes: in-cluster}
environments: {dev: {}, staging: {timeout: 5m}, prod: {}}
apps:
  "{name}":
    from: {repository: "https://git.example.com/shop/{name}.git", branches: [main]}
    images:
      app: "registry.example.com/shop/{name}"
      worker: "registry.example.com/shop/{name}-worker"
    targets:
      "{env}": {kustomize: "apps/{name}/overlays/{env}"}
      prod: {kustomize: "live/{name}", applications: ["main/argocd/{name}-prod"], branch: live}
  checkout:
    images: {front: registry.example.com/shop/front}
    targets: {"{env}": {kustomize: "{name}/{env}"}}
access:
  - {subject: "group:shop", actions: [deliver], apps: [cart], environments: [dev]}
`;
const configuration = loadConfiguration(TEXT, "gitspan.yaml");
const settings = settingsOf(configuration);

function match(repositories: string[], from = "cart") {
  const artifacts = repositories.map((name): Artifact => {
    return { name, repository: `registry.example.com/shop/${name}`, tag: "1.0" };
  });
  const repository = `https://git.example.com/shop/${from}.git`;
  const { matches, misses } = settings.match({
    artifacts,
    source: { repository, commit: "c".repeat(40), ref: "refs/heads/main" },
  });
  return {
    matches: matches.map(({ target, images }) => `${target.id} ${images.map(({ name }) => name).join()}`),
    misses,
  };
}

describe("a pattern for environments", () => {
  it("makes a target for each of them, in an exact app too", () => {
    expect(configuration.targets.map(({ id, places }) => [id, places])).toEqual([
      ["checkout/dev", [{ format: "kustomize", directory: "checkout/dev" }]],
      ["checkout/staging", [{ format: "kustomize", directory: "checkout/staging" }]],
      ["checkout/prod", [{ format: "kustomize", directory: "checkout/prod" }]],
    ]);
  });
});

describe("a pattern for apps", () => {
  it("makes an app of the name in a build's images, with the targets of each environment", () => {
    const both = ["cart/dev app,worker", "cart/staging app,worker", "cart/prod app,worker"];
    expect(match(["cart", "cart-worker"]).matches).toEqual(both);
    expect(match(["cart-worker"]).matches).toEqual(both.map((text) => text.replace("app,", "")));
  });

  it("answers for a target by its id, with every word filled in and an environment's own entry before {env}", () => {
    expect(settings.target("cart/staging")).toMatchObject({
      app: "cart",
      byPattern: true,
      images: [
        { repository: "registry.example.com/shop/cart" },
        { repository: "registry.example.com/shop/cart-worker" },
      ],
      places: [{ directory: "apps/cart/overlays/staging" }],
      policy: { timeoutMs: 300_000 },
    });
    expect(settings.target("cart/prod")).toMatchObject({
      branch: "live",
      places: [{ directory: "live/cart" }],
      applications: [{ cluster: "main", namespace: "argocd", name: "cart-prod" }],
    });
    for (const id of ["cart/test", "Cart/dev", "cart", "../dev", "-/dev", ""])
      expect(settings.target(id)).toBeUndefined();
    expect(settings.targets().map(({ app }) => app)).not.toContain("cart");
  });

  it("keeps its from rule, with the name filled in", () => {
    const { matches, misses } = match(["cart"], "other");
    expect(matches).toEqual([]);
    expect(misses).toEqual([
      "app cart wants builds from https://git.example.com/shop/cart.git, the build is from https://git.example.com/shop/other.git",
    ]);
  });

  it("leaves an exact app its name and its images", () => {
    expect(match(["front"], "anything").matches).toEqual([
      "checkout/dev front",
      "checkout/staging front",
      "checkout/prod front",
    ]);
    expect(match(["checkout"], "checkout").matches).toEqual([]);
    expect(settings.target("checkout/dev")).not.toHaveProperty("byPattern");
  });

  it("takes no image of another place, nor a name that is none", () => {
    expect(match(["a/b", "UPPER", "a.b"])).toEqual({ matches: [], misses: [] });
  });

  it("is part of the configuration's hash", () => {
    const other = loadConfiguration(TEXT.replace("live/{name}", "production/{name}"), "gitspan.yaml");
    expect(other.hash).not.toBe(configuration.hash);
  });
});
