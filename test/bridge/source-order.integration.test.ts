import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const IMAGE = "registry.example.com/shop/checkout";
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let directory: string;
let git: GitServer;
let bridge: Bridge;
let token: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-order-"));
  await chmod(directory, 0o711);
  git = await startGitServer();
  await git.createRepository("gitops", { "dev/kustomization.yaml": `images:\n- name: ${IMAGE}\n  newTag: "0"\n` });
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(
    configFile,
    stringify({
      apiVersion: "gitspan.dev/v1alpha1",
      kind: "Bridge",
      listen: "127.0.0.1:0",
      database: { embedded: join(directory, "data") },
      repositories: { gitops: { url: git.url("gitops") } },
      sources: { shop: { url: `${git.origin}/shop/*` } },
      environments: { dev: {} },
      apps: { checkout: { images: { checkout: IMAGE }, targets: { dev: { kustomize: "dev" } } } },
      access: [{ subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
    }),
  );
  bridge = await startBridge({ configFile, log: silent });
  const minted = mintToken();
  token = minted.token;
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash: minted.hash, groups: [] }));
});
afterAll(async () => {
  await bridge?.close();
  await git?.close();
  await rm(directory, { recursive: true, force: true });
});

async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  return (await (await fetch(`${bridge.address}${path}`, init)).json()) as Record<string, unknown>;
}

/** Reports a build that finished so many seconds ago, and waits for what becomes of it. */
async function deliver(commit: string, tag: string, ago: number): Promise<Record<string, unknown>> {
  const { id } = await call("/v1/builds", {
    images: [{ image: `${IMAGE}:${tag}` }],
    // As a Pipeline knows it: without .git.
    source: { repository: `${git.origin}/shop/checkout`, commit },
    run: { kind: "PipelineRun", name: tag, uid: tag, finishedAt: new Date(Date.now() - ago * 1000).toISOString() },
  });
  const { deliveries } = await call(`/v1/builds/${String(id)}?wait=30s&until=written`);
  const [delivery] = deliveries as { id: string }[];
  return call(`/v1/deliveries/${delivery?.id}`);
}

it("keeps the newer source commit, whoever comes first, says what, and finishes last", async () => {
  const old = await git.createRepository("shop/checkout", { "main.ts": "1\n" });
  const young = await git.commit("shop/checkout", { "main.ts": "2\n" }, "two");
  expect(await deliver(young, "2.0", 100)).toMatchObject({ phase: "following" });
  const older = await deliver(old, "1.0", 10);
  expect(older).toMatchObject({ phase: "done", outcome: "superseded" });
  expect(JSON.stringify(older)).not.toContain("history does not order");
  expect(await git.show("gitops", "main", "dev/kustomization.yaml")).toContain('newTag: "2.0"');

  await git.git("shop/checkout", "branch", "side", old);
  const fork = await git.commit("shop/checkout", { "main.ts": "3\n" }, "fork", "side");
  const later = await deliver(fork, "3.0", 1);
  expect(later).toMatchObject({ phase: "following" });
  expect(JSON.stringify(later)).toContain(`history does not order ${fork} and ${young}`);
});
