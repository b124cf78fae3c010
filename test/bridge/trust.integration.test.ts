import { afterAll, beforeAll, expect, it } from "vitest";
import type { Digest } from "../../src/model/image.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { ImageRegistry, type SigningKey, signingKey } from "../fakes/image-registry.ts";
import { startTemporaryBridge, type TemporaryBridge } from "./temporary-bridge.ts";

const IMAGE = "registry.example.com/shop/checkout";
const REPOSITORY = "https://git.example.com/shop/checkout";

interface SeenDelivery {
  id: string;
  environment: string;
  phase: string;
  outcome?: string;
  reason?: string;
  message?: string;
  waitReason?: string;
  trust?: { images: { signers: string[] }[] };
}

let git: GitServer;
let registry: ImageRegistry;
let key: SigningKey;
let started: TemporaryBridge;

/** `dev` wants no proof, `staging` and `prod` do; `prod` gives it three seconds. */
beforeAll(async () => {
  git = await startGitServer();
  const overlay = `images:\n- name: ${IMAGE}\n  newTag: "0"\n`;
  const files = ["dev", "staging", "prod"].map((environment) => [`${environment}/kustomization.yaml`, overlay]);
  await git.createRepository("gitops", Object.fromEntries(files));
  registry = await ImageRegistry.start(IMAGE);
  key = signingKey();
  started = await startTemporaryBridge(
    {
      metricsListen: "127.0.0.1:0",
      repositories: { gitops: { url: git.url("gitops") } },
      registries: { "registry.example.com": { url: registry.server.address } },
      environments: { dev: {}, staging: {}, prod: { trust: { waitForSignature: "3s" } } },
      trust: { cosignKeyFiles: ["cosign.pub"], require: ["staging", "prod"] },
      apps: { checkout: { images: { checkout: IMAGE }, targets: { "{env}": { kustomize: "{env}" } } } },
    },
    { "cosign.pub": key.publicKey },
  );
});
afterAll(async () => {
  await started?.close();
  await git?.close();
  await registry?.close();
});

const call: TemporaryBridge["call"] = (path, body) => started.call(path, body);

const sourceOf = (tag: string) => ({ repository: REPOSITORY, commit: tag.padEnd(40, "0").replaceAll(".", "a") });

async function report(tag: string, digest?: Digest): Promise<string> {
  const build = await call("/v1/builds", {
    images: [{ repository: IMAGE, tag, ...(digest && { digest }) }],
    source: sourceOf(tag),
    run: { kind: "PipelineRun", name: tag, uid: `run-${tag}`, finishedAt: new Date().toISOString() },
  });
  return String(build["id"]);
}

/** The deliveries of a build by environment, once `settled` says so of all that it is asked about. */
async function seen(id: string, settled: (all: Record<string, SeenDelivery>) => boolean) {
  const end = Date.now() + 30_000;
  for (;;) {
    const { deliveries } = await call(`/v1/builds/${id}`);
    const all = Object.fromEntries((deliveries as SeenDelivery[]).map((one) => [one.environment, one]));
    if (settled(all)) return all;
    if (Date.now() > end) throw new Error(`never came: ${JSON.stringify(all)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

it("delivers what is proven, waits for what may come, and refuses the rest", async () => {
  const digest = registry.push("1.0", "first");
  const id = await report("1.0", digest);
  const first = await seen(id, ({ dev, prod }) => dev?.phase === "following" && prod?.phase === "done");
  expect(first["staging"]).toMatchObject({ phase: "waiting", waitReason: "signature" });
  expect(first["prod"]).toMatchObject({ outcome: "rejected", reason: "untrusted" });
  expect(first["prod"]?.message).toContain("there is no signature; there is no provenance");

  registry.sign(digest, key);
  registry.attest(digest, key, { source: sourceOf("1.0"), run: "run-1.0" });
  const then = await seen(id, ({ staging }) => staging?.phase === "following");
  const detail = await call(`/v1/deliveries/${then["staging"]?.id}`);
  expect(detail["trust"]).toMatchObject({ images: [{ digest, signers: [expect.stringMatching(/^key sha256:/)] }] });
  const [, message = ""] = (await git.git("gitops", "log", "-1", "--format=%x00%B", "main", "--", "staging")).split(
    "\0",
  );
  expect(message).toMatch(/^Gitspan-Verified-By: key sha256:[0-9a-f]{16}$/m);
  expect(await git.show("gitops", "main", "prod/kustomization.yaml")).toContain('newTag: "0"');
});

it("looks once for all environments of a build, and writes the digest of a tag", async () => {
  const digest = registry.push("2.0", "second");
  registry.sign(digest, key);
  registry.attest(digest, key, { source: sourceOf("2.0"), run: "run-2.0" });
  registry.server.asked.length = 0;
  const id = await report("2.0");
  await seen(id, (all) => Object.values(all).every(({ phase }) => phase === "following"));
  const asked = registry.server.asked.map(({ url }) => url.replace(/^.*\/(manifests|blobs|referrers)\//, ""));
  const hex = digest.slice(7);
  expect(asked.filter((name) => name === `sha256-${hex}.att`)).toHaveLength(1);
  expect(asked.filter((name) => name === `sha256-${hex}.sig`)).toHaveLength(1);
  expect(await git.show("gitops", "main", "prod/kustomization.yaml")).toContain(digest);

  const page = await (await fetch(`${started.bridge.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/^gitspan_registry_requests_total\{result="found"\} \d+$/m);
  expect(page).toMatch(/^gitspan_trust_decisions_total\{result="proven"\} \d+$/m);
});

it("refuses a digest that the registry does not have, wherever it goes", async () => {
  const id = await report("3.0", `sha256:${"0".repeat(64)}`);
  const all = await seen(id, (deliveries) => Object.values(deliveries).every(({ phase }) => phase === "done"));
  expect(Object.values(all).map(({ reason }) => reason)).toEqual(["no-digest", "no-digest", "no-digest"]);
});
