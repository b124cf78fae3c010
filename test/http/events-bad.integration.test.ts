import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredRun } from "../fakes/kubernetes-api.ts";
import { recordedEvent } from "../tekton/recordings.ts";
import { type EventSite, type Sent, sentOf, startEventSite, storedOf } from "./event-site.ts";

const event = recordedEvent("025-pipelinerun.successful-good-s8z86");
const good = sentOf(event);
let site: EventSite;
let run: StoredRun;

beforeAll(async () => {
  site = await startEventSite({ namespaces: ["demo", "shop-ci"] });
});
afterAll(() => site.close());
beforeEach(() => {
  run = storedOf(event);
  site.api.put(run);
});

const withHeaders = (headers: Record<string, string>): Sent => ({ ...good, headers: { ...good.headers, ...headers } });
const without = (name: string): Sent => {
  const { [name]: _left, ...headers } = good.headers;
  return { ...good, headers };
};
const withRun = (metadata: Record<string, unknown>): Sent => ({ ...good, body: { pipelineRun: { metadata } } });
const withBody = (body: unknown): Sent => ({ ...good, body });

/** What is no event is refused: 4xx, which Tekton does not send again. */
const refused: [name: string, sent: Sent, status: number, detail: string][] = [
  ["no Ce-Type", without("ce-type"), 400, "ce-type is missing"],
  ["no Ce-Id", without("ce-id"), 400, "ce-id is missing"],
  ["no Ce-Source", without("ce-source"), 400, "ce-source is missing"],
  ["no Ce-Specversion", without("ce-specversion"), 400, "ce-specversion is missing"],
  ["CloudEvents 0.3", withHeaders({ "ce-specversion": "0.3" }), 400, '"0.3" is not supported'],
  [
    "structured mode",
    { headers: { "content-type": "application/cloudevents+json" }, body: { specversion: "1.0", data: good.body } },
    415,
    "binary mode",
  ],
  ["batch mode", { headers: { "content-type": "application/cloudevents-batch+json" }, body: [] }, 415, "binary mode"],
  ["a form", withHeaders({ "content-type": "application/x-www-form-urlencoded" }), 415, "binary mode"],
  ["a compressed body", withHeaders({ "content-encoding": "gzip" }), 415, "binary mode"],
  ["no body", withBody(""), 400, "body"],
  ["a body that is no JSON", withBody("{"), 400, "not valid JSON"],
  ["a body that is cut", withBody(JSON.stringify(good.body).slice(0, -1)), 400, "not valid JSON"],
  ["a body that is a list", withBody([good.body]), 400, "not a JSON object"],
  ["a body that is null", withBody("null"), 400, "not a JSON object"],
  ["a key twice", withBody('{"pipelineRun": {}, "pipelineRun": {}}'), 400, "is there twice"],
  ["a forbidden key", withBody('{"pipelineRun": {"__proto__": {"a": 1}}}'), 400, "forbidden key"],
  ["the run of another kind", withBody({ taskRun: {} }), 400, 'no object "pipelineRun"'],
  ["a run that is a text", withBody({ pipelineRun: "good" }), 400, 'no object "pipelineRun"'],
  ["a name that climbs", withRun({ name: "../../secrets/x", namespace: "demo", uid: "u" }), 400, "not the name"],
  ["a name with a query", withRun({ name: "a?watch=1", namespace: "demo", uid: "u" }), 400, "not the name"],
  ["a namespace that climbs", withRun({ name: "a", namespace: "..", uid: "u" }), 400, "not a namespace"],
  ["no uid", withRun({ name: "good-s8z86", namespace: "demo" }), 400, "no metadata.uid"],
  ["a uid that is none", withRun({ name: "good-s8z86", namespace: "demo", uid: "a b" }), 400, "not a uid"],
  ["1.6 MiB", withBody({ pipelineRun: {}, padding: "x".repeat(1_700_000) }), 413, "larger than 1.5 MiB"],
];

/** What is an event and proves nothing is a 202: sending it again would not help. */
const ignored: [name: string, sent: Sent, change: (stored: StoredRun) => unknown, reason: string][] = [
  ["another uid in the API", good, (stored) => Object.assign(stored.metadata, { uid: "u-2" }), "uid-mismatch"],
  ["a run that goes on in the API", good, (stored) => condition(stored, "Unknown", "Running"), "not-finished"],
  ["a run that failed in the API", good, (stored) => condition(stored, "False", "Failed"), "failed"],
  ["a run that was cancelled in the API", good, (stored) => condition(stored, "False", "Cancelled"), "cancelled"],
  ["a run that is gone", good, (stored) => site.api.remove(stored), "run-gone"],
  ["results that are no list", good, (stored) => status(stored, { results: { IMAGE_URL: "x" } }), "no-image"],
  ["results that are numbers", good, (stored) => status(stored, { results: [1, 2] }), "no-image"],
  ["no source", good, (stored) => Object.assign(stored.metadata, { annotations: [] }), "no-source"],
  [
    "a namespace that is not allowed",
    withRun({ name: "a", namespace: "kube-system", uid: "u" }),
    nothing,
    "namespace-not-allowed",
  ],
  ["a namespace without a rule", withRun({ name: "a", namespace: "shop-ci", uid: "u" }), otherNamespace, "forbidden"],
  ["an image that nobody wants", good, (stored) => image(stored, "registry.example.com/unknown:1"), "no-target"],
  ["an unknown type", withHeaders({ "ce-type": "com.example.done" }), nothing, "other-event"],
  [
    "a custom run",
    { ...withHeaders({ "ce-type": "dev.tekton.event.customrun.successful.v1" }), body: { customRun: {} } },
    nothing,
    "custom-run",
  ],
];

describe("a request that is no event is refused, nothing is stored and the cluster is not asked:", () => {
  it.each(refused)("%s", async (_name, sent, wanted, detail) => {
    const asked = site.api.requests.length;
    const response = await site.send(sent);
    expect(response.json()).toMatchObject({ status: wanted, detail: expect.stringContaining(detail) });
    expect(response.headers["content-type"]).toContain("application/problem+json");
    expect(site.counted.at(-1)).toBe("refused");
    expect(site.api.requests).toHaveLength(asked);
    expect((await site.store.deliveries({ limit: 1 })).items).toEqual([]);
  });
});

describe("an event that proves nothing is ignored, and nothing is stored:", () => {
  it.each(ignored)("%s", async (_name, sent, change, reason) => {
    change(run);
    const response = await site.send(sent);
    expect(response.statusCode).toBe(202);
    // One word: what the log says of it may be for people of the cluster alone.
    expect(response.json()).toEqual({ result: "ignored", reason });
    expect(site.counted.at(-1)).toBe("ignored");
    expect((await site.store.deliveries({ limit: 1 })).items).toEqual([]);
  });

  it("a body so deep that a recursion would end there", async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const body = `{"pipelineRun": {"metadata": {"name": "gone", "namespace": "demo", "uid": "u"}, "status": ${deep}}}`;
    expect((await site.send(withBody(body))).json()).toEqual({ result: "ignored", reason: "run-gone" });
  });
});

it("the very event that all of these were made from is delivered", async () => {
  expect((await site.send(good)).json()).toMatchObject({ result: "accepted" });
  expect((await site.store.deliveries({ limit: 2 })).items).toHaveLength(1);
});

function nothing(): void {
  // The run stays as it is.
}

function status(stored: StoredRun, change: Record<string, unknown>): void {
  Object.assign(stored["status"] as object, change);
}

function condition(stored: StoredRun, value: string, reason: string): void {
  status(stored, { conditions: [{ type: "Succeeded", status: value, reason }] });
}

function image(stored: StoredRun, url: string): void {
  status(stored, {
    results: [
      { name: "IMAGE_URL", value: url },
      { name: "commit", value: "c".repeat(40) },
    ],
  });
}

function otherNamespace(stored: StoredRun): void {
  site.api.put({ ...stored, metadata: { ...stored.metadata, name: "a", namespace: "shop-ci", uid: "u" } });
}
