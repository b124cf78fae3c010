import { afterAll, beforeAll, expect, it } from "vitest";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { startTemporaryBridge, type TemporaryBridge } from "./temporary-bridge.ts";

const IMAGE = "registry.example.com/shop/checkout";

let git: GitServer;
let started: TemporaryBridge;

beforeAll(async () => {
  git = await startGitServer();
  await git.createRepository("gitops", { "dev/kustomization.yaml": `images:\n- name: ${IMAGE}\n  newTag: "0"\n` });
  started = await startTemporaryBridge({
    repositories: { gitops: { url: git.url("gitops") } },
    sources: { shop: { url: `${git.origin}/shop/*` } },
    environments: { dev: {} },
    apps: { checkout: { images: { checkout: IMAGE }, targets: { dev: { kustomize: "dev" } } } },
  });
});
afterAll(async () => {
  await started?.close();
  await git?.close();
});

const call: TemporaryBridge["call"] = (path, body) => started.call(path, body);

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
