import { describe, expect, it } from "vitest";
import { parseCloudEvent } from "../../src/tekton/cloud-event.ts";
import { type EventsFile, eventTypes, headersOf, recordedEvents } from "./recordings.ts";

const FILES: EventsFile[] = ["events", "events-retry", "events-controller-restart", "events-derived"];

const headers = {
  "ce-specversion": "1.0",
  "ce-id": "1",
  "ce-source": "/apis///namespaces/demo//web-1",
  "ce-subject": "web-1",
  "ce-type": "dev.tekton.event.pipelinerun.successful.v1",
};
const body = { pipelineRun: { metadata: { name: "web-1", namespace: "demo", uid: "u-1" } } };

describe("a recorded event", () => {
  it.each(FILES)("of %s is read, with the run that it is about", (file) => {
    for (const event of recordedEvents(file)) {
      const parsed = parseCloudEvent({ headers: headersOf(event), body: event.body });
      const [, kind, state] = /event\.(\w+)\.(\w+)\.v1$/.exec(event.headers["Ce-Type"] ?? "") ?? [];
      expect(parsed?.kind.toLowerCase()).toBe(kind);
      expect(parsed?.state).toBe(state);
      expect(parsed?.name).toBe(event.headers["Ce-Subject"]);
      expect(event.headers["Ce-Source"]).toContain(`/namespaces/${parsed?.namespace}/`);
    }
  });

  it("is there in the number that the recordings have", () => {
    expect(FILES.map((file) => recordedEvents(file).length)).toEqual([128, 19, 13, 8]);
  });
});

describe("the type of an event", () => {
  it.each(eventTypes().map(({ type, kind }) => [type, kind] as const))("%s is known", (type, kind) => {
    const run = { metadata: { name: "web-1", namespace: "demo", uid: "u-1" } };
    const parsed = parseCloudEvent({
      headers: { ...headers, "ce-type": type },
      body: { pipelineRun: run, taskRun: run, customRun: run },
    });
    expect(parsed?.kind).toBe(kind);
  });

  it("is of no interest when Tekton sends no such type", () => {
    const others = [
      "dev.tekton.event.triggers.accepted.v1",
      "com.example.done",
      "dev.tekton.event.taskrun.successful.v2",
    ];
    for (const type of others) {
      expect(parseCloudEvent({ headers: { ...headers, "ce-type": type }, body })).toBeUndefined();
    }
  });
});

describe("an event that cannot be read", () => {
  const run = (metadata: unknown) => ({ pipelineRun: { metadata } });
  it.each([
    ["has no Ce-Type", { "ce-type": undefined }, body, "ce-type is missing"],
    ["has no Ce-Id", { "ce-id": undefined }, body, "ce-id is missing"],
    ["has no Ce-Source", { "ce-source": undefined }, body, "ce-source is missing"],
    ["has no version", { "ce-specversion": undefined }, body, "ce-specversion is missing"],
    ["has an empty type", { "ce-type": "" }, body, "ce-type is missing"],
    ["has a type without end", { "ce-type": "t".repeat(2_000) }, body, "ce-type is missing"],
    ["has a list of types", { "ce-type": ["a", "b"] }, body, "ce-type is missing"],
    ["is of CloudEvents 0.3", { "ce-specversion": "0.3" }, body, 'CloudEvents "0.3" is not supported'],
    ["has a body that is a list", {}, [body], "not a JSON object"],
    ["has a body that is null", {}, null, "not a JSON object"],
    ["has a body that is a text", {}, "run", "not a JSON object"],
    ["has no body", {}, undefined, "not a JSON object"],
    ["has the run of another kind", {}, { taskRun: body.pipelineRun }, 'no object "pipelineRun"'],
    ["has a run that is a list", {}, { pipelineRun: [body.pipelineRun] }, 'no object "pipelineRun"'],
    ["has a name that climbs", {}, run({ name: "../../secrets/x", namespace: "demo" }), "is not the name of a run"],
    ["has a name with an escape", {}, run({ name: "a%2fb", namespace: "demo" }), "is not the name of a run"],
    ["has a name of two dots", {}, run({ name: "..", namespace: "demo" }), "is not the name of a run"],
    ["has a name that is too long", {}, run({ name: "n".repeat(254), namespace: "demo" }), "is not the name of a run"],
    ["has a namespace that climbs", {}, run({ name: "web-1", namespace: "demo/../kube-system" }), "is not a namespace"],
    ["has a namespace that is too long", {}, run({ name: "web-1", namespace: "n".repeat(64) }), "is not a namespace"],
    ["has a uid with a line break", {}, run({ name: "web-1", namespace: "demo", uid: "a\nb" }), "not a uid"],
    ["names nothing", { "ce-subject": undefined }, run({ namespace: "demo" }), "is not the name of a run"],
    ["is from nowhere", { "ce-source": "/x" }, run({ name: "web-1" }), "is not a namespace"],
  ])("%s", (_name, changed, sent, message) => {
    const act = () => parseCloudEvent({ headers: { ...headers, ...changed }, body: sent });
    expect(act).toThrow(expect.objectContaining({ code: "bad-request", message: expect.stringContaining(message) }));
  });

  it("takes name and namespace from the envelope where the run has none", () => {
    const parsed = parseCloudEvent({ headers, body: { pipelineRun: { metadata: null, status: [] } } });
    expect(parsed).toMatchObject({ name: "web-1", namespace: "demo", uid: "" });
  });
});
