import { describe, expect, it } from "vitest";
import { reportOf } from "../../src/tekton/report.ts";
import { readRun, type TektonRun } from "../../src/tekton/run.ts";
import { recordedRun, recordedRuns } from "./recordings.ts";
import { aRun, COMMIT, DIGEST, results, SOURCE, WEB } from "./samples.ts";

const NOW = Date.UTC(2026, 10, 22, 18, 30);
const about = { cluster: "main", now: NOW };
const built = results({ IMAGE_URL: `${WEB}:1`, IMAGE_DIGEST: DIGEST, commit: COMMIT, url: SOURCE });

describe("a run that built something", () => {
  it("is a report with its images, its source and itself", () => {
    expect(reportOf(aRun({ results: built }), about)).toEqual({
      kind: "build",
      report: {
        artifacts: [{ name: "web", repository: WEB, tag: "1", digest: DIGEST }],
        source: { repository: SOURCE, commit: COMMIT },
        run: {
          kind: "PipelineRun",
          uid: "u-1",
          namespace: "shop-ci",
          name: "web-1",
          cluster: "main",
          finishedAt: Date.UTC(2026, 10, 22, 18, 22, 35),
        },
      },
    });
  });

  it("was recorded, and lacks only the address of its source repository", () => {
    const recorded = recordedRun("pipelinerun-successful");
    expect(reportOf(readRun("PipelineRun", recorded), about)).toMatchObject({ kind: "ignored", reason: "no-source" });
    const annotations = { "gitspan.dev/source-repository": SOURCE };
    const run = readRun("PipelineRun", { ...recorded, metadata: { ...recorded.metadata, annotations } });
    expect(reportOf(run, about)).toMatchObject({
      kind: "build",
      report: {
        artifacts: [{ name: "busybox", repository: "127.0.0.1:5000/busybox", tag: "lab" }],
        source: { repository: SOURCE, commit: COMMIT },
        run: { uid: "8ce0978f-25f7-4ad9-9297-9699142f2277", finishedAt: Date.parse("2026-11-22T18:22:35Z") },
      },
    });
  });

  it("never counts as newer than now, whatever clock or annotation says so", () => {
    const run = aRun({
      results: built,
      finishedAt: NOW + 3_600_000,
      annotations: { "gitspan.dev/source-time": "2027-01-01T00:00:00Z", "gitspan.dev/source-repository": SOURCE },
    });
    const read = reportOf(run, about);
    expect(read).toMatchObject({ report: { run: { finishedAt: NOW } } });
    expect(read).not.toHaveProperty("report.source.time");
  });

  it("links to where people look at it, if the link is one for a browser", () => {
    const withLink = (link: string) =>
      reportOf(aRun({ results: built, annotations: { "pipelinesascode.tekton.dev/log-url": link } }), about);
    expect(withLink("https://dashboard.example.com/x")).toMatchObject({
      report: { run: { url: "https://dashboard.example.com/x" } },
    });
    expect(withLink("javascript:alert(1)")).not.toHaveProperty("report.run.url");
  });
});

describe("a run that leads to nothing", () => {
  it.each<[string, Partial<TektonRun>, string]>([
    ["has not begun", { state: "queued" }, "not-finished"],
    ["goes on", { state: "running" }, "not-finished"],
    ["stands somewhere between", { state: "unknown" }, "not-finished"],
    ["failed", { state: "failed", reason: "Failed" }, "failed"],
    ["was cancelled", { state: "cancelled", reason: "Cancelled" }, "cancelled"],
    ["took too long", { state: "timed-out", reason: "PipelineRunTimeout" }, "timed-out"],
    ["is a custom run", { kind: "CustomRun" }, "custom-run"],
    ["is a part of another", { kind: "TaskRun", parent: "web-1" }, "part-of-pipeline-run"],
    ["is for a pull request", { annotations: { "pipelinesascode.tekton.dev/pull-request": "7" } }, "pull-request"],
    ["has no image", { results: results({ commit: COMMIT, url: SOURCE }) }, "no-image"],
    ["has no source", { results: results({ IMAGE_URL: `${WEB}:1` }) }, "no-source"],
  ])("%s", (_name, run, reason) => {
    const read = reportOf(aRun({ results: built, ...run }), about);
    expect(read).toMatchObject({ kind: "ignored", reason });
    expect(read).toHaveProperty("detail", expect.stringMatching(/^the|^custom/));
  });

  it("is every recorded run but the successful ones with images: tests that failed deliver nothing", () => {
    const read = recordedRuns("runs").map(({ file, run }) => {
      const annotations = { ...(run.metadata?.["annotations"] as object), "gitspan.dev/source-repository": SOURCE };
      const annotated = { ...run, metadata: { ...run.metadata, annotations } };
      const report = reportOf(readRun(run.kind === "TaskRun" ? "TaskRun" : "PipelineRun", annotated), about);
      return report.kind === "build" ? `${file}: built` : `${file}: ${report.reason}`;
    });
    expect(read.filter((line) => line.endsWith("built"))).toEqual(["pipelinerun-successful.json: built"]);
    expect(read).toContain("pipelinerun-failed.json: failed");
    expect(read).toContain("pipelinerun-cancelled.json: cancelled");
    expect(read).toContain("pipelinerun-tasks-timeout.json: timed-out");
    expect(read).toContain("taskrun-kaniko.json: no-source");
    expect(read).toContain("pipelinerun-failed-taskruns.json: part-of-pipeline-run");
  });
});
