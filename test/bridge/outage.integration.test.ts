import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { openDatabase } from "../../src/store/database.ts";
import { eventually } from "../argocd/simulated.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { FakeKubernetesApi, type StoredRun } from "../fakes/kubernetes-api.ts";
import { FakeResultsApi } from "../fakes/results-api.ts";
import { endedRun } from "../tekton/following.ts";

// The whole bridge on PostgreSQL, twice: what ends while it is down has to be there afterwards.
let database: TestDatabase;
let api: FakeKubernetesApi;
let results: FakeResultsApi;
let directory: string;
let configFile: string;
const bridges: Bridge[] = [];
const { token, hash } = mintToken();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-outage-"));
  [database, api, results] = await Promise.all([
    startTestDatabase(),
    FakeKubernetesApi.start(),
    FakeResultsApi.start(),
  ]);
  const url = await database.fresh();
  const opened = await openDatabase(databaseDeps, { url });
  await opened.store.createToken({ name: "ada", hash, groups: [] });
  await opened.close();
  await writeFile(join(directory, "url"), url);
  await writeFile(join(directory, "results-token"), results.token);
  configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configuration()));
});
afterAll(async () => {
  await Promise.all(bridges.map((bridge) => bridge.close()));
  await Promise.all([database?.close(), api?.close(), results?.close()]);
  await rm(directory, { recursive: true, force: true });
});

function configuration(): Record<string, unknown> {
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
        namespaces: ["demo"],
        watch: { labels: { "tekton.dev/pipeline": "build-and-bump" } },
        results: { url: results.url, tokenFile: "results-token" },
        runUrl: "https://tekton.example.com/#/namespaces/{namespace}/pipelineruns/{name}",
      },
    },
    environments: { dev: {} },
    apps: { web: { images: { web: "127.0.0.1:5000/busybox" }, targets: { dev: { kustomize: "web/dev" } } } },
    access: [
      { subject: "tekton:main/demo", actions: ["deliver"], apps: ["web"], environments: ["dev"] },
      { subject: "token:ada", actions: ["read"], apps: ["*"], environments: ["*"] },
    ],
  };
}

async function start(): Promise<Bridge> {
  const bridge = await startBridge({ configFile, log: databaseDeps.log });
  bridges.push(bridge);
  return bridge;
}

async function ask<T>(bridge: Bridge, path: string): Promise<T> {
  const response = await fetch(`${bridge.address}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as T;
}

async function metricsOf(bridge: Bridge): Promise<string> {
  return await (await fetch(`${bridge.metricsAddress}/metrics`)).text();
}

async function builds(bridge: Bridge): Promise<string[]> {
  const page = await ask<{ items: { build: string }[]; next?: string }>(bridge, "/v1/deliveries?limit=200");
  expect(page.next).toBeUndefined();
  return page.items.map(({ build }) => build);
}

async function runsOf(bridge: Bridge): Promise<string[]> {
  const found = await Promise.all(
    (await builds(bridge)).map((id) => ask<{ run: { name: string } }>(bridge, `/v1/builds/${id}`)),
  );
  return found.map(({ run }) => run.name).toSorted();
}

it("20 runs that end while the bridge is down are 20 deliveries when it is up again, none of them twice", async () => {
  api.put(endedRun("before-the-first-start", Date.now() - 5_000));
  const first = await start();
  await eventually(() => api.collection.watched > 0);
  api.put(endedRun("seen-1"), endedRun("seen-2"));
  await eventually(async () => (await builds(first)).length === 2);
  await first.close();

  const missed = Array.from({ length: 20 }, (_, index) => endedRun(`missed-${String(index + 1).padStart(2, "0")}`));
  const pruned = new Set(missed.filter((_, index) => index % 4 === 0));
  api.put(...missed);
  for (const run of pruned) api.remove(run);
  results.records.push(...missed);

  const second = await start();
  await eventually(async () => (await builds(second)).length >= 22);
  const names = (runs: StoredRun[]): string[] => runs.map(({ metadata }) => metadata.name);
  expect(await runsOf(second)).toEqual([...names(missed), "seen-1", "seen-2"]);

  // Once more, with nothing new: everything is offered again, and leads to nothing.
  await second.close();
  const third = await start();
  await eventually(async () =>
    /gitspan_events_total\{source="tekton-results",result="repeat"\}/.test(await metricsOf(third)),
  );
  expect(await runsOf(third)).toEqual([...names(missed), "seen-1", "seen-2"]);
  expect(pruned.size).toBe(5);

  const ready = await (await fetch(`${third.address}/readyz?verbose`)).json();
  expect(JSON.stringify(ready)).toContain("tekton/main/demo");
  await eventually(async () =>
    /gitspan_tekton_watch_age_seconds\{stream="tekton\/main\/demo"\} \d/.test(await metricsOf(third)),
  );
  const [build = ""] = await builds(third);
  expect(await ask(third, `/v1/builds/${build}`)).toMatchObject({
    subject: "tekton:main/demo",
    run: { url: expect.stringMatching(/^https:\/\/tekton\.example\.com\/#\/namespaces\/demo\/pipelineruns\//) },
  });
});
