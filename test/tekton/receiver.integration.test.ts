import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventReading } from "../../src/delivery/events.ts";
import { openTekton, type TektonCluster } from "../../src/tekton/cluster.ts";
import { asStored, FakeKubernetesApi, type StoredRun, type Trouble } from "../fakes/kubernetes-api.ts";
import { headersOf, recordedEvent, recordedEvents } from "./recordings.ts";
import { aCluster, SOURCE, tektonDeps } from "./samples.ts";

let api: FakeKubernetesApi;
let tekton: TektonCluster;
let run: StoredRun;

const successful = recordedEvent("025-pipelinerun.successful-good-s8z86");
const event = { headers: headersOf(successful), body: successful.body as unknown };
const read = (sent = event, signal = new AbortController().signal): Promise<EventReading> =>
  tekton.readEvent(sent, signal);
const open = (namespaces: string[] = []) => {
  const kubernetes = { kind: "kubeconfig", file: api.kubeconfigFile, context: undefined } as const;
  return openTekton(tektonDeps, aCluster({ kubernetes, namespaces }));
};

beforeEach(async () => {
  api = await FakeKubernetesApi.start();
  tekton = await open();
  run = asStored("PipelineRun", successful.body["pipelineRun"] ?? {});
  run.metadata["annotations"] = { "gitspan.dev/source-repository": SOURCE };
  api.put(run);
});
afterEach(() => api.close());

describe("an event of a successful run", () => {
  it("is a build, by what the API server says of the run", async () => {
    const reading = await read();
    expect(reading).toMatchObject({
      kind: "build",
      subject: "tekton:main/demo",
      report: { run: { uid: run.metadata.uid, cluster: "main" }, source: { repository: SOURCE } },
    });
    expect(api.requests).toEqual(["/apis/tekton.dev/v1/namespaces/demo/pipelineruns/good-s8z86"]);
  });

  it("counts for nothing by what it says itself", async () => {
    const forged = structuredClone(event.body) as Record<string, { status: Record<string, unknown> }>;
    const results = [{ name: "IMAGE_URL", value: "registry.example.com/evil:1" }];
    forged["pipelineRun"]!.status["pipelineResults"] = results;
    expect(await read({ ...event, body: forged })).toMatchObject({
      report: { artifacts: [{ repository: "127.0.0.1:5000/busybox" }] },
    });
  });

  it.each<[string, (stored: StoredRun) => void, string]>([
    ["has failed", (stored) => conditionOf(stored, "False", "Failed"), "failed"],
    ["was cancelled", (stored) => conditionOf(stored, "False", "Cancelled"), "cancelled"],
    ["still runs", (stored) => conditionOf(stored, "Unknown", "Running"), "not-finished"],
    ["has not begun", (stored) => Object.assign(stored, { status: {} }), "not-finished"],
    ["has another uid", (stored) => Object.assign(stored.metadata, { uid: "another" }), "uid-mismatch"],
    ["belongs to another", (stored) => ownerOf(stored), "part-of-pipeline-run"],
    [
      "has results that are no list",
      (stored) => Object.assign(stored["status"] as object, { results: "x" }),
      "no-image",
    ],
    ["is gone", (stored) => api.remove(stored), "run-gone"],
  ])("leads to nothing when the run %s in the API", async (_name, change, reason) => {
    change(run);
    expect(await read()).toMatchObject({ kind: "ignored", reason });
    expect(api.requests).toHaveLength(1);
  });

  it("leads to nothing in a namespace that is not allowed, without a look", async () => {
    tekton = await open(["shop-ci"]);
    expect(await read()).toMatchObject({ kind: "ignored", reason: "namespace-not-allowed" });
    tekton = await open(["shop-ci", "demo"]);
    expect(await read()).toMatchObject({ kind: "build" });
    expect(api.requests).toHaveLength(1);
  });

  it("is refused without a uid: which run it is about cannot be checked", async () => {
    const body = structuredClone(event.body) as Record<string, { metadata: Record<string, unknown> }>;
    delete body["pipelineRun"]!.metadata["uid"];
    await expect(read({ ...event, body: body })).rejects.toMatchObject({ code: "bad-request" });
    expect(api.requests).toHaveLength(0);
  });
});

describe("any other event", () => {
  it("leads to nothing without a look at the cluster", async () => {
    const readings = new Set<string>();
    for (const recorded of recordedEvents("events")) {
      if (recorded.headers["Ce-Type"] === "dev.tekton.event.pipelinerun.successful.v1") continue;
      if (recorded.file.includes("kaniko")) continue;
      const reading = await read({ headers: headersOf(recorded), body: recorded.body });
      readings.add(reading.kind === "ignored" ? reading.reason : reading.kind);
    }
    expect(readings).toEqual(new Set(["not-finished", "part-of-pipeline-run", "failed", "cancelled", "timed-out"]));
    expect(api.requests).toHaveLength(0);
  });
});

describe("an API server that does not do its part", () => {
  it.each<[Trouble, string]>([
    [401, "kubernetes-forbidden"],
    [403, "kubernetes-forbidden"],
    [429, "kubernetes-unavailable"],
    [500, "kubernetes-unavailable"],
    [503, "kubernetes-unavailable"],
    [302, "kubernetes-unavailable"],
    ["cut", "kubernetes-unavailable"],
    ["login-page", "kubernetes-unavailable"],
    ["no-tekton", "kubernetes-unavailable"],
  ])("(%s) is an error that passes, never an answer about the run", async (trouble, code) => {
    api.trouble = trouble;
    await expect(read()).rejects.toMatchObject({ code, transient: true });
    api.trouble = undefined;
    expect(await read()).toMatchObject({ kind: "build" });
  });

  it("that answers another object is not believed", async () => {
    run.metadata.name = "another";
    await expect(read()).rejects.toMatchObject({ code: "kubernetes-unavailable" });
  });

  it("that says nothing is left when the time is up", async () => {
    api.trouble = "silence";
    const stop = new AbortController();
    api.onRequest = async () => stop.abort(new Error("late"));
    await expect(read(event, stop.signal)).rejects.toThrow("late");
  });

  it("never shows its token", async () => {
    api.trouble = "cut";
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(api.token);
  });
});

it("reads at most sixteen runs at a time, and all of them in the end", async () => {
  let atOnce = 0;
  let most = 0;
  api.onRequest = async () => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce--;
  };
  const readings = await Promise.all(Array.from({ length: 60 }, () => read()));
  expect(readings.every(({ kind }) => kind === "build")).toBe(true);
  expect(most).toBeLessThanOrEqual(16);
  const stop = new AbortController();
  const waiting = Array.from({ length: 40 }, () => read(event, stop.signal));
  stop.abort(new Error("late"));
  for (const result of await Promise.allSettled(waiting)) expect(result.status).toBe("rejected");
  expect(await read()).toMatchObject({ kind: "build" });
});

it("without a cluster the event itself is believed, in either version of the API", async () => {
  tekton = await openTekton(tektonDeps, aCluster({ name: "lab" }));
  expect(await read()).toMatchObject({ kind: "ignored", reason: "no-source" });
  const body = structuredClone(event.body) as Record<string, StoredRun>;
  body["pipelineRun"]!.metadata["annotations"] = { "gitspan.dev/source-repository": SOURCE };
  expect(await read({ ...event, body: body })).toMatchObject({ kind: "build", subject: "tekton:lab/demo" });
  expect(await read({ ...event, body: { pipelineRun: run } })).toMatchObject({ kind: "build" });
  expect(api.requests).toHaveLength(0);
});

it("a kubeconfig that is not there is an error of the configuration", async () => {
  const kubernetes = { kind: "kubeconfig", file: "/nowhere/kubeconfig", context: undefined } as const;
  const opening = openTekton(tektonDeps, aCluster({ kubernetes }));
  await expect(opening).rejects.toMatchObject({ code: "config-invalid", message: expect.stringContaining("/nowhere") });
});

function conditionOf(stored: StoredRun, status: string, reason: string): void {
  Object.assign(stored["status"] as object, { conditions: [{ type: "Succeeded", status, reason }] });
}

function ownerOf(stored: StoredRun): void {
  stored.metadata["ownerReferences"] = [{ kind: "PipelineRun", name: "outer" }];
}
