import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge } from "../../src/bridge.ts";
import { eventually } from "../argocd/simulated.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { asStored, FakeKubernetesApi } from "../fakes/kubernetes-api.ts";
import { FakeIssuer } from "../fakes/oidc-issuer.ts";
import { AUDIENCE, aToken, lastTask, RUN, store } from "../tekton/last-task.ts";
import { recordedEvent } from "../tekton/recordings.ts";
import { SOURCE } from "../tekton/samples.ts";

// The whole bridge on PostgreSQL: nothing of it is put together by the test but its configuration.
let database: TestDatabase;
let api: FakeKubernetesApi;
let issuer: FakeIssuer;
let bridge: Bridge;
let directory: string;
const task = lastTask();
const IMAGE = "127.0.0.1:5000/busybox";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-callers-"));
  [database, api, issuer] = await Promise.all([startTestDatabase(), FakeKubernetesApi.start(), FakeIssuer.start()]);
  store(api, task);
  await writeFile(join(directory, "url"), await database.fresh());
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configuration()));
  bridge = await startBridge({ configFile, log: databaseDeps.log });
});
afterAll(async () => {
  await bridge?.close();
  await Promise.all([database?.close(), api?.close(), issuer?.close()]);
  await rm(directory, { recursive: true, force: true });
});

function configuration(): Record<string, unknown> {
  const everywhere = { actions: ["deliver"], apps: ["*"], environments: ["*"] };
  return {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    metricsListen: "127.0.0.1:0",
    database: { urlFile: "url" },
    // Nothing is written in this test: nobody listens there.
    repositories: { gitops: { url: "http://127.0.0.1:9/gitops.git" } },
    tekton: {
      main: {
        kubernetes: { kubeconfigFile: api.kubeconfigFile },
        audience: AUDIENCE,
        watch: { since: "2026-01-01T00:00:00Z" },
      },
    },
    oidc: {
      ci: { issuer: issuer.url, caFile: new URL("../golden/git/tls/cert.pem", import.meta.url).pathname },
    },
    environments: { dev: {} },
    apps: {
      web: { images: { web: IMAGE }, buildTask: "build", targets: { dev: { kustomize: "web/dev" } } },
    },
    access: [
      { subject: "serviceaccount:demo/gitops-bump", ...everywhere },
      { subject: "tekton:main/demo", ...everywhere },
      { subject: "oidc:ci:repo:shop/*:ref:refs/heads/main", ...everywhere },
    ],
  };
}

async function ask(token: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(bridge.address + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

const metrics = async (): Promise<string> => (await fetch(`${bridge.metricsAddress}/metrics`)).text();

it("a run reports itself from its last task, looks at its build, and its end by the watch is a repeat", async () => {
  const { status, json } = await ask(task.token, "/v1/builds", { run: RUN });
  expect(status).toBe(202);
  const { id } = json as { id: string };
  expect(json).toMatchObject({ subject: "serviceaccount:demo/gitops-bump", source: { repository: SOURCE } });
  expect(await ask(task.token, `/v1/builds/${id}?wait=50ms`)).toMatchObject({ status: 200, json: { id } });

  const ended = asStored(
    "PipelineRun",
    recordedEvent("025-pipelinerun.successful-good-s8z86").body["pipelineRun"] ?? {},
  );
  ended.metadata["annotations"] = task.run.metadata["annotations"];
  api.put(ended);
  await eventually(async () => (await metrics()).includes('{source="tekton-watch",result="repeat"} 1'));
  expect(await ask(task.token, "/v1/deliveries")).toMatchObject({ json: { items: [{ build: id }] } });
});

it("a job of another CI delivers under its own name", async () => {
  const report = {
    images: [{ image: `${IMAGE}:2`, digest: `sha256:${"d".repeat(64)}` }],
    source: { repository: "https://git.example.com/shop/checkout", commit: "c".repeat(40) },
  };
  const { status, json } = await ask(await issuer.sign(), "/v1/builds", report);
  expect(status).toBe(202);
  expect(json).toMatchObject({ subject: "oidc:ci:repo:shop/checkout:ref:refs/heads/main" });
  const foreign = await issuer.sign({ sub: "repo:evil/x:ref:refs/heads/main" });
  expect((await ask(foreign, "/v1/builds", report)).status).toBe(403);
});

it("whoever is refused is counted with the reason", async () => {
  expect((await ask(aToken({ jti: "unknown" }), "/v1/builds", {})).status).toBe(401);
  expect((await ask(aToken({ aud: ["x"] }), "/v1/builds", {})).status).toBe(401);
  const page = await metrics();
  expect(page).toContain('gitspan_refusals_total{reason="not-authenticated"} 1');
  expect(page).toContain('gitspan_refusals_total{reason="audience"} 1');
  expect(page).toContain('gitspan_refusals_total{reason="no-right"} 1');
});
