import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { openDatabase } from "../../src/store/database.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { FakeKubernetesApi } from "../fakes/kubernetes-api.ts";
import { type RecordedEvent, recordedEvents } from "../tekton/recordings.ts";
import { sentOf, storedOf } from "./event-site.ts";

// The whole bridge on PostgreSQL: nothing of it is put together by the test but its configuration.
let database: TestDatabase;
let api: FakeKubernetesApi;
let bridge: Bridge;
let directory: string;
const { token, hash } = mintToken();
const events = recordedEvents("events-controller-restart");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-events-"));
  [database, api] = await Promise.all([startTestDatabase(), FakeKubernetesApi.start()]);
  api.put(...events.map(storedOf));
  const url = await database.fresh();
  const opened = await openDatabase(databaseDeps, { url });
  await opened.store.createToken({ name: "ada", hash, groups: [] });
  await opened.close();
  await writeFile(join(directory, "url"), url);
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configuration()));
  bridge = await startBridge({ configFile, log: databaseDeps.log });
});
afterAll(async () => {
  await bridge?.close();
  await Promise.all([database?.close(), api?.close()]);
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
    tekton: { main: { kubernetes: { kubeconfigFile: api.kubeconfigFile }, namespaces: ["demo"] } },
    environments: { dev: {} },
    apps: { web: { images: { web: "127.0.0.1:5000/busybox" }, targets: { dev: { kustomize: "web/dev" } } } },
    access: [
      { subject: "tekton:main/demo", actions: ["deliver"], apps: ["web"], environments: ["dev"] },
      { subject: "token:ada", actions: ["read"], apps: ["*"], environments: ["*"] },
    ],
  };
}

async function send(event: RecordedEvent): Promise<string> {
  const { headers, body } = sentOf(event);
  const response = await fetch(`${bridge.address}/v1/events/tekton`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  const answer = (await response.json()) as { result: string; reason?: string };
  return answer.reason ?? answer.result;
}

async function deliveries(): Promise<{ id: string; target: string }[]> {
  const response = await fetch(`${bridge.address}/v1/deliveries`, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { items: { id: string; target: string }[] }).items;
}

it("delivers what Tekton's events lead to, once, however often they come", async () => {
  const first = await Promise.all(events.map(send));
  expect(first.filter((result) => result === "accepted")).toHaveLength(2);
  const delivered = await deliveries();
  expect(delivered.map(({ target }) => target)).toEqual(["web/dev", "web/dev"]);

  const again = await Promise.all([...events, ...events].map(send));
  expect(again.filter((result) => result === "repeat")).toHaveLength(4);
  expect(new Set((await deliveries()).map(({ id }) => id))).toEqual(new Set(delivered.map(({ id }) => id)));

  const metrics = await (await fetch(`${bridge.metricsAddress}/metrics`)).text();
  expect(metrics).toContain('gitspan_events_total{source="tekton",result="accepted"} 2');
  expect(metrics).toContain('gitspan_events_total{source="tekton",result="repeat"} 4');
  expect(metrics).toContain('gitspan_events_total{source="tekton",result="ignored"} 33');
});
