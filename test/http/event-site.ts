import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { systemAmbient } from "../../src/ambient.ts";
import { makeBearers } from "../../src/bearers.ts";
import { accept } from "../../src/delivery/accept.ts";
import type { EventOutcome, Metrics, Settings } from "../../src/delivery/ports.ts";
import type { EventSource } from "../../src/http/event-source.ts";
import { type AccessRule, isAllowed } from "../../src/model/access.ts";
import { matchBuild } from "../../src/model/match.ts";
import { openTekton } from "../../src/tekton/cluster.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { aTarget } from "../fakes/examples.ts";
import { asStored, FakeKubernetesApi, type StoredRun } from "../fakes/kubernetes-api.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { MemoryTrust } from "../fakes/memory-trust.ts";
import { headersOf, type RecordedEvent } from "../tekton/recordings.ts";
import { aCluster, SOURCE, tektonDeps } from "../tekton/samples.ts";
import { FakePorts } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

/** The repository that the recorded pipelines built. */
const BUILT = "127.0.0.1:5000/busybox";

export interface EventSite {
  test: TestApp;
  api: FakeKubernetesApi;
  store: MemoryStore;
  /** What was counted, in order. */
  counted: EventOutcome[];
  /** Replaces the access rules. */
  allow(rules: AccessRule[]): void;
  send(event: Sent, options?: InjectOptions): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

export interface Sent {
  headers: Record<string, string>;
  body: unknown;
}

/** The real intake on a store in memory, the real receiver on an API server over HTTP: everything but the database. */
export async function startEventSite(options: { namespaces?: string[] } = {}): Promise<EventSite> {
  const api = await FakeKubernetesApi.start();
  const { clock, ids } = systemAmbient;
  const store = new MemoryStore({ clock });
  const counted: EventOutcome[] = [];
  const metrics: Metrics = {
    ...createMetrics({ version: "1", clock }),
    event: (_source, result) => counted.push(result),
  };
  const targets = [aTarget({ images: [{ name: "web", repository: BUILT }] })];
  let rules: AccessRule[] = [{ subject: "tekton:main/demo", actions: ["deliver"], apps: ["*"], environments: ["*"] }];
  const settings = {
    hash: "h",
    targets: () => targets,
    target: (id: string) => targets.find((target) => target.id === id),
    repository: () => undefined,
    match: (report: Parameters<Settings["match"]>[0]) => matchBuild({ apps: [{ name: "checkout" }], targets }, report),
    allows: (caller: Parameters<Settings["allows"]>[0], permission: Parameters<Settings["allows"]>[1]) =>
      isAllowed(rules, caller, permission),
  } as unknown as Settings;
  const kubernetes = { kind: "kubeconfig", file: api.kubeconfigFile, context: undefined } as const;
  const cluster = await openTekton(tektonDeps, aCluster({ kubernetes, namespaces: options.namespaces ?? [] }));
  const source: EventSource = { trusted: false, pathSecret: undefined, basic: undefined, read: cluster.readEvent };
  const accounts = cluster.serviceAccounts;
  const test = startApp({
    intake: {
      accept: (request, signal) =>
        accept({ store, ids, trust: new MemoryTrust(), settings: () => settings, metrics }, request, signal),
    },
    events: { tekton: () => new Map([["main", source]]), metrics },
    bearers: makeBearers({
      issuer: () => undefined,
      clusters: () => new Map(accounts === undefined ? [] : [["main", accounts]]),
    }),
    settings: () => settings,
    store: {
      ...new FakePorts().deps().store,
      build: (id) => store.build(id),
      deliveries: (filter) => store.deliveries(filter),
    },
  });
  return {
    test,
    api,
    store,
    counted,
    allow: (next) => {
      rules = next;
    },
    send: (event, inject = {}) =>
      test.app.inject({
        method: "POST",
        url: "/v1/events/tekton",
        payload: typeof event.body === "string" ? event.body : JSON.stringify(event.body),
        ...inject,
        headers: { "content-type": "application/json", ...event.headers, ...inject.headers },
      }),
    close: async () => {
      await test.app.close();
      await api.close();
    },
  };
}

export function sentOf(event: RecordedEvent): Sent {
  const { "content-length": _length, host: _host, connection: _connection, ...headers } = headersOf(event);
  return { headers, body: event.body };
}

/** The run of an event as it is stored, annotated as a TriggerTemplate would. */
export function storedOf(event: RecordedEvent): StoredRun {
  const [[key, sent] = ["", {}]] = Object.entries(event.body);
  const run = asStored(key === "taskRun" ? "TaskRun" : "PipelineRun", sent);
  run.metadata["annotations"] = {
    ...(run.metadata["annotations"] as object),
    "gitspan.dev/source-repository": SOURCE,
    "gitspan.dev/source-ref": "refs/heads/main",
  };
  return run;
}
