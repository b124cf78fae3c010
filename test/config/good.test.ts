import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";

const file = fileURLToPath(new URL("../golden/config/full.yaml", import.meta.url));
const full = readFileSync(file, "utf8");
const folder = dirname(file);

const minimal = `
apiVersion: gitspan.dev/v1alpha1
kind: Bridge
database: {urlEnv: DATABASE_URL}
repositories:
  gitops: {url: https://git.example.com/gitops}
environments: {dev: {}}
apps:
  checkout:
    images: {checkout: registry.example.com/checkout}
    targets: {dev: {kustomize: overlays/dev}}
`;

test("a full file is resolved with paths relative to it", () => {
  const configuration = loadConfiguration(full, file);
  expect(configuration).toMatchObject({
    file,
    listen: { host: "0.0.0.0", port: 8484 },
    metricsListen: { host: "::1", port: 9090 },
    database: { kind: "embedded", directory: join(folder, "data") },
    environments: ["dev", "staging", "prod"],
  });
  expect(configuration.repositories.get("gitops")).toEqual({
    name: "gitops",
    url: "https://gitea.example.com/platform/gitops.git",
    branch: "trunk",
    auth: { kind: "basic", username: "bot", token: { file: "/run/secrets/gitops" } },
    caFile: join(folder, "ca/gitea.pem"),
    author: { name: "Deploy Bot", email: "deploy@example.com" },
    signingKey: { file: join(folder, "keys/signing") },
  });
  expect(configuration.repositories.get("other")).toMatchObject({
    branch: "main",
    auth: { kind: "basic", username: "oauth2", token: { env: "OTHER_TOKEN" } },
    author: { name: "gitspan", email: "gitspan@localhost" },
  });
  expect(configuration.repositories.get("keyed")?.auth).toEqual({
    kind: "ssh",
    keyFile: join(folder, "keys/deploy"),
    knownHostsFile: join(folder, "keys/known_hosts"),
    passphrase: { file: join(folder, "keys/passphrase") },
  });
  expect(configuration.repositories.get("bitbucket")?.auth).toEqual({
    kind: "bearer",
    token: { file: "/run/secrets/bitbucket" },
  });
  expect(configuration.repositories.get("github")?.auth).toEqual({
    kind: "github-app",
    appId: "12",
    installationId: "34",
    privateKey: { file: join(folder, "keys/app.pem") },
    apiUrl: "https://api.github.com",
  });
  expect(configuration.sources.get("shop")).toEqual({
    url: "https://gitea.example.com/shop/*",
    auth: { kind: "basic", username: "oauth2", token: { env: "SHOP_TOKEN" } },
  });
  expect(configuration.argocd.get("main")).toEqual({
    name: "main",
    kubernetes: { kind: "in-cluster" },
    server: undefined,
    caFile: undefined,
    namespaces: ["argocd"],
    refreshByAnnotation: false,
    imageAliases: [],
  });
  expect(configuration.argocd.get("edge")).toEqual({
    name: "edge",
    kubernetes: { kind: "kubeconfig", file: join(folder, "edge.kubeconfig"), context: "edge" },
    server: { url: "https://argocd.example.com", token: { file: resolve(folder, "../secrets/argocd") } },
    caFile: join(folder, "ca/argocd.pem"),
    namespaces: ["argocd", "team-a"],
    refreshByAnnotation: true,
    imageAliases: [
      { mirror: "mirror.internal:5000/shop", original: "registry.example.com/shop" },
      { mirror: "mirror.internal:5000", original: "docker.io" },
    ],
  });
});

test("targets take branch, policy and folder from target, environment, repository and defaults, in that order", () => {
  const [dev, prod, root] = loadConfiguration(full, file).targets;
  expect(dev).toMatchObject({
    id: "checkout/dev",
    repository: "gitops",
    branch: "trunk",
    places: [{ format: "kustomize", directory: "apps/checkout/overlays/dev" }],
    applications: undefined,
    policy: { settleMs: 0, timeoutMs: 780_000, expireAfterMs: 604_800_000 },
  });
  expect(prod).toEqual({
    id: "checkout/prod",
    healthyAtLeast: 1,
    app: "checkout",
    environment: "prod",
    repository: "other",
    branch: "release/1.x",
    images: [
      { name: "checkout", repository: "registry.example.com/shop/checkout" },
      { name: "worker", repository: "registry.example.com/shop/checkout-worker" },
    ],
    places: [{ format: "kustomize", directory: "apps/checkout/overlays/prod" }],
    applications: [
      { cluster: "main", namespace: "argocd", name: "checkout-prod" },
      { cluster: "edge", namespace: "team-a", name: "checkout" },
    ],
    policy: {
      settleMs: 120_000,
      timeoutMs: 1_800_000,
      expireAfterMs: 43_200_000,
      degradedMs: 60_000,
      trust: expect.any(Object),
    },
  });
  expect(root).toMatchObject({ id: "root/staging", places: [{ directory: "" }], policy: { settleMs: 30_000 } });
});

test("a minimal file gets its defaults, and the only repository is that of its targets", () => {
  const configuration = loadConfiguration(minimal, "gitspan.yaml");
  expect(configuration).toMatchObject({
    listen: { host: "127.0.0.1", port: 8484 },
    metricsListen: undefined,
    database: { kind: "external", url: { env: "DATABASE_URL" } },
    access: [],
    targets: [{ id: "checkout/dev", repository: "gitops", branch: "main" }],
  });
});

test("a person's revert pins unless the environment says that it only holds what was reverted", () => {
  const policyWith = (words: string) =>
    loadConfiguration(minimal.replace("{dev: {}}", `{dev: ${words}}`), "gitspan.yaml").targets[0]?.policy;
  expect(policyWith("{}")).not.toHaveProperty("onManualRevert");
  expect(policyWith("{onManualRevert: pin}")).not.toHaveProperty("onManualRevert");
  expect(policyWith("{onManualRevert: hold-digest}")).toHaveProperty("onManualRevert", "hold-digest");
  expect(() => policyWith("{onManualRevert: ignore}")).toThrow(
    /environments\.dev\.onManualRevert.*must be "pin" or "hold-digest"/,
  );
});

test("what fails is rolled back by itself only where the environment says so", () => {
  const policyWith = (words: string) =>
    loadConfiguration(minimal.replace("{dev: {}}", `{dev: ${words}}`), "gitspan.yaml").targets[0]?.policy;
  expect(policyWith("{rollback: manual}")).not.toHaveProperty("rollback");
  expect(policyWith("{rollback: automatic}")).toHaveProperty("rollback", "automatic");
});

test("the hash is that of the meaning, not of the way it is written", () => {
  const hash = loadConfiguration(minimal, "/etc/gitspan.yaml").hash;
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  const same = `# a comment\nlisten: 127.0.0.1:9999\n${minimal}`
    .replace("{dev: {}}", "\n  dev:\n    settle: 30s")
    .replace("https://git.example.com/gitops}", '"https://git.example.com/gitops", branch: main}');
  expect(loadConfiguration(same, "/srv/other.yaml").hash).toBe(hash);
  expect(loadConfiguration(minimal.replace("overlays/dev", "overlays/dev2"), "/etc/gitspan.yaml").hash).not.toBe(hash);
  expect(loadConfiguration(`${minimal}access: []\n`, "/etc/gitspan.yaml").hash).toBe(hash);
});

test("what must be proven is said for all environments that are named, and otherwise for one of them", () => {
  const { targets, registries } = loadConfiguration(full, file);
  const policyOf = (id: string) => targets.find((target) => target.id === id)?.policy.trust;
  expect(policyOf("checkout/dev")).toBeUndefined();
  const wanted = {
    keyFiles: [join(folder, "keys/cosign.pub"), join(folder, "keys/cosign-next.pub")],
    keyless: {
      identities: [{ issuer: "https://accounts.example.com", subject: "*@example.com" }],
      trustedRootFile: join(folder, "sigstore/trusted_root.json"),
    },
    signature: true,
    provenance: "taskrun",
    builders: ["https://tekton.dev/chains/v2"],
    buildTypes: ["*"],
    matchSource: true,
    matchRun: true,
    waitMs: 120_000,
  };
  expect(policyOf("root/staging")).toEqual(wanted);
  expect(policyOf("checkout/prod")).toEqual({ ...wanted, signature: false, maxAgeMs: 2_592_000_000 });
  expect(registries.get("registry.example.com")).toEqual({
    host: "registry.example.com",
    url: "https://registry.internal.example.com:5000",
    mirrors: ["https://mirror.example.com", "http://10.0.0.5:5000"],
    auth: { kind: "basic", username: "gitspan", password: { file: "/run/secrets/registry" } },
    tokenHosts: ["tokens.example.com"],
    caFile: join(folder, "ca/registry.pem"),
  });
  expect(registries.get("ghcr.io")?.auth).toEqual({
    kind: "docker-config",
    file: { file: join(folder, "docker.json") },
  });
  expect(registries.get("docker.io")).toMatchObject({ url: undefined, auth: undefined });
});

test("without more words the PipelineRun's provenance by Tekton Chains is wanted, and by others any", () => {
  const trustWith = (words: string) =>
    loadConfiguration(
      `${minimal}registries: {registry.example.com: {}}\ntrust: {require: [dev], cosignKeyFiles: [k], ${words}}\n`,
      "gitspan.yaml",
    ).targets[0]?.policy.trust;
  expect(trustWith("")).toMatchObject({
    signature: true,
    provenance: "pipelinerun",
    builders: ["https://tekton.dev/chains/v2"],
    matchSource: true,
    matchRun: true,
    waitMs: 600_000,
  });
  expect(trustWith("provenance: any")).toMatchObject({ buildTypes: ["*"], matchRun: false, matchSource: true });
});
