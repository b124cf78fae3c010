import { expect, test } from "vitest";
import { judge } from "../../src/argocd/verdict.ts";
import type { VerdictMemory } from "../../src/model/observation.ts";
import {
  argoTime,
  FOREIGN,
  follow,
  glance,
  judgeInput,
  LATER,
  OLD_IMAGE,
  OLDER,
  OURS,
  operation,
  PUSHED_AT,
  snapshot,
  words,
} from "./judging.ts";

const before = { revisions: [OLDER], operation: operation({ revisions: [OLDER] }), summaryImages: [OLD_IMAGE] };
const waiting = { sync: "OutOfSync", operation: operation({ revisions: [OLDER] }), summaryImages: [OLD_IMAGE] };

test("healthy needs the settling time and a comparison that Argo CD began after it", () => {
  const looks = follow([
    [0, {}],
    [29, {}],
    [30, {}],
    [31, {}],
    [32, { reconciledAt: argoTime(42) }],
  ]);
  expect(looks.map(({ word }) => word)).toEqual(["candidate", "candidate", "candidate", "candidate", "healthy"]);
  expect(looks.map(({ refresh }) => refresh)).toEqual([false, false, true, false, false]);
  expect(looks[0]?.lookAgainMs).toBe(30_000);
});

test("a comparison of the second in which the operation ended makes a candidate, but never healthy", () => {
  const same = { reconciledAt: argoTime(10) };
  expect(
    words([
      [0, same],
      [30, same],
      [31, same],
      [40, same],
    ]),
  ).not.toContain("healthy");
  expect(
    words([
      [0, same],
      [30, same],
      [31, { reconciledAt: argoTime(11) }],
    ]).at(-1),
  ).toBe("healthy");
});

test("a comparison older than the operation proves nothing", () => {
  expect(glance({ reconciledAt: argoTime(9) })).toBe("rolling");
});

test("what arrived before the refresh was sent does not answer it", () => {
  const looks = words([
    [0, {}],
    [30, { reconciledAt: argoTime(20) }],
    [30, { reconciledAt: argoTime(30) }],
    [31, { reconciledAt: argoTime(30) }],
    [32, { reconciledAt: argoTime(42) }],
  ]);
  expect(looks).toEqual(["candidate", "candidate", "candidate", "candidate", "healthy"]);
});

test("while a refresh is still asked for, its answer has not come", () => {
  const pending = { reconciledAt: argoTime(42), annotations: { refresh: "normal", skipReconcile: false } };
  expect(
    words([
      [0, {}],
      [30, {}],
      [31, pending],
    ]).at(-1),
  ).toBe("candidate");
});

test("any miss starts the settling time again", () => {
  const looks = words([
    [0, {}],
    [20, { health: "Progressing" }],
    [21, {}],
    [40, {}],
    [41, { reconciledAt: argoTime(50) }],
  ]);
  expect(looks).toEqual(["candidate", "rolling", "candidate", "candidate", "candidate"]);
});

test("before the commit is compared the refresh is asked for at once, then after 15, 30 and 60 seconds", () => {
  const seconds = [0, 1, 14, 15, 16, 44, 45, 104, 105, 165];
  const looks = follow(seconds.map((second) => [second, before] as const));
  expect(new Set(looks.map(({ word }) => word))).toEqual(new Set(["pushed"]));
  expect(seconds.filter((_, index) => looks[index]?.refresh)).toEqual([0, 15, 45, 105, 165]);
});

test("a later commit that still holds our values counts, one that holds others supersedes", () => {
  expect(glance({ revisions: [LATER], operation: operation({ revisions: [LATER] }) })).toBe("candidate");
  expect(glance({ revisions: [FOREIGN] })).toBe("superseded");
});

test("what Git does not know yet proves nothing", () => {
  expect(glance({ revisions: ["e".repeat(40)] })).toBe("unknown");
  expect(glance({}, { revisions: new Map([[OURS, { covers: true, content: "unknown" }]]) })).toBe("unknown");
});

test("a branch's name or a chart's version is no commit", () => {
  expect(glance({ revisions: ["main"] })).toBe("pushed");
  const sources = [{ repoURL: "https://charts.example.com", chart: "checkout", targetRevision: "1.2.3" }];
  expect(glance({ sources, revisions: [OURS] })).toBe("pushed");
});

test("a repository under another address is known by its commits", () => {
  const sources = [{ repoURL: "https://mirror.example.com/copy", path: "apps/checkout", targetRevision: "main" }];
  expect(glance({ sources })).toBe("candidate");
  expect(glance({ sources, revisions: [OLDER] })).toBe("pushed");
});

test("of several sources the one that holds our files decides", () => {
  const sources = [
    { repoURL: "https://git.example.com/other.git", path: "x", targetRevision: "main" },
    { repoURL: "https://git.example.com/gitops.git", path: "apps/checkout", targetRevision: "main" },
  ];
  const several = { sources, multiSource: true };
  const applied = operation({ revisions: [FOREIGN, OURS] });
  expect(glance({ ...several, revisions: [FOREIGN, OURS], operation: applied })).toBe("candidate");
  expect(glance({ ...several, revisions: [OURS, OLDER], operation: applied })).toBe("pushed");
});

test("an operation that asks for or applies our commit is syncing, a retry is no end", () => {
  const running = { ...waiting, operationRequested: true };
  expect(glance({ ...running, operation: undefined })).toBe("syncing");
  expect(glance({ ...running, operation: operation({ phase: "Running", finishedAt: undefined }) })).toBe("syncing");
  expect(glance({ ...running, operation: operation({ phase: "Running", retryCount: 2 }) })).toBe("syncing");
});

test("a failed full operation fails the commit for good, whatever comes after it", () => {
  const failed = { sync: "OutOfSync", operation: operation({ phase: "Failed", message: "admission denied" }) };
  const looks = follow([
    [0, failed],
    [1, { operationRequested: true, operation: undefined }],
  ]);
  expect(looks.map(({ word }) => word)).toEqual(["failed(sync)", "failed(sync)"]);
  expect(looks[0]?.verdict.message).toContain("admission denied");
});

test("a failed operation of another commit, of some resources only or of a dry run is not ours", () => {
  const failed = { sync: "OutOfSync", summaryImages: [OLD_IMAGE] };
  for (const change of [{ revisions: [OLDER] }, { partial: true }, { dryRun: true }]) {
    expect(glance({ ...failed, operation: operation({ phase: "Failed", ...change }) })).toBe("observed");
  }
});

test("a sync that already failed before the commit blocks it, but is not its failure", () => {
  const baseline = { health: "Healthy", conditions: ["SyncError"], summaryImages: [], degraded: [] };
  expect(glance({ operation: operation({ phase: "Failed" }) }, { baseline })).toBe("blocked(sync-error)");
});

test("a dry run or a partial operation does not count as deployed, the state it left may", () => {
  const dry = { sync: "OutOfSync", operation: operation({ dryRun: true }), summaryImages: [OLD_IMAGE] };
  expect(glance(dry)).toBe("observed");
  expect(glance({ operation: operation({ partial: true }) })).toBe("candidate");
});

test("nobody syncs: each reason has its name", () => {
  expect(glance({ ...waiting, automated: false })).toBe("blocked(manual-sync)");
  expect(glance({ ...waiting, automated: false, applicationSet: "shop" })).toBe("blocked(rolling-sync)");
  expect(glance({ ...waiting, annotations: { skipReconcile: true } })).toBe("blocked(skip-reconcile)");
  const conditions = [{ type: "SyncError", message: "gave up" }];
  expect(
    words([
      [0, waiting],
      [30, { ...waiting, conditions }],
    ]),
  ).toEqual(["observed", "blocked(sync-error)"]);
  expect(
    words([
      [0, waiting],
      [30, waiting],
    ]),
  ).toEqual(["observed", "blocked(sync-window)"]);
});

test("an operation of another commit that does not end blocks ours", () => {
  const running = { operationRequested: true, operation: operation({ phase: "Running", revisions: [OLDER] }) };
  const other = { ...waiting, ...running };
  expect(
    words([
      [0, other],
      [59, other],
      [60, other],
    ]),
  ).toEqual(["observed", "observed", "blocked(operation-stuck)"]);
});

test("what is out of sync besides the workloads does not matter once our operation succeeded", () => {
  const resource = { namespace: "shop", name: "x", sync: "OutOfSync" };
  expect(glance({ sync: "OutOfSync", resources: [{ ...resource, kind: "ConfigMap" }] })).toBe("candidate");
  expect(glance({ sync: "OutOfSync", resources: [{ ...resource, kind: "Deployment" }] })).toBe("rolling");
});

test("images that stay the old ones are a mismatch after ten seconds", () => {
  const old = { summaryImages: [OLD_IMAGE] };
  expect(
    words([
      [0, old],
      [9, old],
      [10, old],
    ]),
  ).toEqual(["rolling", "rolling", "blocked(image-mismatch)"]);
});

test("a mismatch is looked at again by Argo CD, right away and then at longer intervals", () => {
  let memory: VerdictMemory = {};
  const asked: number[] = [];
  for (let second = 0; second <= 200; second++) {
    const now = PUSHED_AT + second * 1_000;
    const judgement = judge(judgeInput({ snapshot: snapshot({ summaryImages: [OLD_IMAGE] }), memory, now }));
    ({ memory } = judgement);
    if (judgement.refresh) asked.push(second);
  }
  expect(asked).toEqual([10, 15, 30, 60, 120, 180]);
});

test("an error condition that the baseline did not have keeps it from being a candidate", () => {
  expect(glance({ conditions: [{ type: "InvalidSpecError", message: "x" }] })).toBe("rolling");
  expect(glance({ conditions: [{ type: "OrphanedResourceWarning", message: "x" }] })).toBe("candidate");
});

test("blocked and paused time does not count against the timeout", () => {
  const suspended = { health: "Suspended" };
  const progressing = { health: "Progressing" };
  const looks = words([
    [0, suspended],
    [3_000, suspended],
    [3_001, progressing],
    [3_500, progressing],
    [3_700, progressing],
  ]);
  expect(looks).toEqual(["paused(suspended)", "paused(suspended)", "rolling", "rolling", "failed(timed-out)"]);
  expect(
    words([
      [0, before],
      [601, before],
    ]).at(-1),
  ).toBe("failed(timed-out)");
});

test("a commit that the branch no longer contains is lost", () => {
  expect(glance(before, { lost: true })).toBe("failed(lost)");
});
