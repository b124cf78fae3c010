import { describe, expect, it } from "vitest";
import type { RunKind } from "../../src/tekton/cloud-event.ts";
import { parseCloudEvent } from "../../src/tekton/cloud-event.ts";
import { readRun } from "../../src/tekton/run.ts";
import { type EventsFile, headersOf, recordedEvent, recordedEvents, recordedRun, recordedRuns } from "./recordings.ts";

const FILES: EventsFile[] = ["events", "events-retry", "events-controller-restart", "events-derived"];

function kindOf(run: { kind?: string }): RunKind {
  return run.kind === "TaskRun" ? "TaskRun" : "PipelineRun";
}

describe("a run as the API server has it", () => {
  it.each([
    ["pipelinerun-successful", "succeeded", "Succeeded"],
    ["pipelinerun-failed", "failed", "Failed"],
    ["pipelinerun-cancelled", "cancelled", "Cancelled"],
    ["pipelinerun-cancelled-run-finally", "cancelled", "Cancelled"],
    ["pipelinerun-tasks-timeout", "timed-out", "PipelineRunTimeout"],
    ["taskrun-kaniko", "succeeded", "Succeeded"],
  ])("%s is %s", (file, state, reason) => {
    const recorded = recordedRun(file);
    const run = readRun(kindOf(recorded), recorded);
    expect(run).toMatchObject({ state, reason, namespace: "demo" });
    expect(run.finishedAt).toBe(Date.parse((recorded["status"] as { completionTime: string }).completionTime));
    expect(run.parent).toBeUndefined();
  });

  it("belongs to the PipelineRun that made it", () => {
    const parts = recordedRuns("runs").filter(({ file }) => file.endsWith("-taskruns.json"));
    const parents = parts.map(({ run }) => readRun("TaskRun", run).parent);
    expect(parents.length).toBeGreaterThan(8);
    expect(new Set(parents)).toEqual(
      new Set(["good-s8z86", "bad-9rlj7", "cancelled-rx4kq", "cancelledrunfinally-98vzc", "timeout-r82kb"]),
    );
  });

  it("belongs to it by the label alone, or by the owner alone", () => {
    const byLabel = { metadata: { name: "a", labels: { "tekton.dev/pipelineRun": "web-1" } } };
    const byOwner = { metadata: { name: "a", ownerReferences: [{ kind: "PipelineRun", name: "web-1" }] } };
    expect(readRun("TaskRun", byLabel).parent).toBe("web-1");
    expect(readRun("PipelineRun", byOwner).parent).toBe("web-1");
    expect(
      readRun("PipelineRun", { metadata: { ownerReferences: [{ kind: "Job", name: "x" }] } }).parent,
    ).toBeUndefined();
  });
});

describe("the state of a run", () => {
  it.each([
    ["queued", undefined],
    ["running", { status: "Unknown", reason: "Started" }],
    ["running", { status: "Unknown", reason: "Running" }],
    ["unknown", { status: "Unknown", reason: "Pending" }],
    ["unknown", { status: "Unknown", reason: "CancelledRunningFinally" }],
    ["succeeded", { status: "True", reason: "Completed" }],
    ["failed", { status: "False", reason: "Failed" }],
    ["failed", { status: "False", reason: "TaskRunImagePullFailed" }],
    ["cancelled", { status: "False", reason: "TaskRunCancelled" }],
    ["cancelled", { status: "False", reason: "Cancelled" }],
    ["timed-out", { status: "False", reason: "TaskRunTimeout" }],
    ["timed-out", { status: "False", reason: "PipelineRunTimeout" }],
    ["queued", { status: 7, reason: {} }],
  ])("is %s for %o", (state, condition) => {
    const conditions = condition === undefined ? [] : [{ type: "Ready" }, { type: "Succeeded", ...condition }];
    expect(readRun("PipelineRun", { status: { conditions } }).state).toBe(state);
  });

  it("agrees with the type of every recorded event", () => {
    const ends = ["succeeded", "failed", "cancelled", "timed-out"];
    const wanted = { successful: ["succeeded"], failed: ends.slice(1) };
    for (const event of FILES.flatMap((file) => recordedEvents(file))) {
      const parsed = parseCloudEvent({ headers: headersOf(event), body: event.body });
      const state = readRun(parsed?.kind ?? "PipelineRun", parsed?.object ?? {}).state;
      // Before its end an event is about a moment; its body may be older or newer by one reconciliation.
      const going = ["queued", "unknown", "running"];
      const isEnd = parsed?.state === "successful" || parsed?.state === "failed";
      expect(isEnd ? wanted[parsed.state as keyof typeof wanted] : going).toContain(state);
    }
  });
});

describe("results", () => {
  it("are the same in both versions of the API, without the newline that they end with", () => {
    const event = recordedEvent("025-pipelinerun.successful-good-s8z86");
    const old = readRun("PipelineRun", event.body["pipelineRun"] ?? {});
    expect(old.results).toEqual(readRun("PipelineRun", recordedRun("pipelinerun-successful")).results);
    expect(old.results.at(-1)).toEqual({ name: "commit", value: "3953f9ddf975ab5097ee468d99555c5b441169bf" });
    const task = recordedEvent("010-taskrun.successful-good-s8z86-build");
    expect(readRun("TaskRun", task.body["taskRun"] ?? {}).results).toHaveLength(3);
  });

  it("are texts, lists of texts and objects of texts; anything else is left out", () => {
    const read = readRun("TaskRun", {
      status: {
        results: [
          { name: "text", value: " a\n" },
          { name: "list", value: ["a\n", 1, "b"] },
          { name: "object", value: { uri: "u\n", n: 1 } },
          { name: "number", value: 1 },
          { value: "no name" },
          "no result",
        ],
      },
    });
    expect(read.results).toEqual([
      { name: "text", value: "a" },
      { name: "list", value: ["a", "b"] },
      { name: "object", value: { uri: "u" } },
    ]);
  });

  it.each([["a text"], [7], [null], [{ length: 3 }], [[null, [], "x"]]])("are none when they are %o", (value) => {
    expect(readRun("PipelineRun", { status: { results: value } }).results).toEqual([]);
  });
});

describe("whatever somebody sends as a run", () => {
  it("is read without an exception: runs of Chains and manifests that never ran", () => {
    const runs = [...recordedRuns("chains-runs"), ...recordedRuns("manifests")];
    expect(runs.length).toBe(41);
    for (const { run } of runs) {
      const read = readRun(kindOf(run), run);
      expect(read.results.length > 0 ? ["succeeded"] : ["succeeded", "queued", "unknown", "running"]).toContain(
        read.state,
      );
    }
  });

  it("is read without an exception when every part has the wrong type", () => {
    const wrong: unknown[] = [null, 1, "x", [], {}, [null], [[]], { a: { b: 1 } }, true];
    for (const value of wrong) {
      const run = readRun("PipelineRun", {
        metadata: { labels: value, annotations: value, ownerReferences: value, uid: value, name: value },
        spec: { params: value },
        status: { conditions: value, results: value, provenance: value, completionTime: value },
      });
      expect(run).toMatchObject({ state: "queued", uid: typeof value === "string" ? value : "" });
    }
    for (const value of wrong) {
      expect(readRun("TaskRun", { metadata: value, spec: value, status: value }).state).toBe("queued");
    }
  });
});
