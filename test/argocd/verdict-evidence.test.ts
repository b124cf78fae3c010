import { expect, test } from "vitest";
import { toSnapshot } from "../../src/argocd/snapshot.ts";
import type { ApplicationSnapshot } from "../../src/model/application.ts";
import {
  argoTime,
  follow,
  IMAGE,
  judgeInput,
  judgeInspecting,
  later,
  OLD_IMAGE,
  OLDER,
  OURS,
  operation,
  pod,
  snapshot,
  wordOf,
  words,
} from "./judging.ts";

test("what is unhealthy as before does not keep ready workloads of ours from being healthy", () => {
  const baseline = { health: "Progressing", conditions: [], summaryImages: [OLD_IMAGE], degraded: [] };
  const waiting = { health: "Progressing", healthSince: argoTime(1) };
  const tree = (status: string) => ({
    pods: [pod()],
    health: [
      { resource: "Service/shop/checkout", status: "Progressing", images: [] },
      { resource: "Deployment/shop/checkout", status, images: [IMAGE] },
    ],
  });
  const looks = (status: string) =>
    words(
      [
        [0, waiting, tree(status)],
        [30, waiting, tree(status)],
        [31, { ...waiting, ...later(42) }, tree(status)],
      ],
      { baseline },
    );
  expect(looks("Healthy")).toEqual(["candidate", "candidate", "healthy"]);
  expect(looks("Progressing").at(-1)).toBe("rolling");
});

test("what was unhealthy before never times out", () => {
  const baseline = { health: "Progressing", conditions: [], summaryImages: [OLD_IMAGE], degraded: [] };
  expect(
    words(
      [
        [0, { health: "Progressing" }],
        [5_000, { health: "Progressing" }],
      ],
      { baseline },
    ).at(-1),
  ).toBe("rolling");
  expect(
    words([
      [0, { health: "Progressing" }],
      [5_000, { health: "Progressing" }],
    ]).at(-1),
  ).toBe("failed(timed-out)");
});

test("a Pod of the new image that does not run makes an old degradation ours", () => {
  const baseline = { health: "Degraded", conditions: [], summaryImages: [OLD_IMAGE], degraded: [] };
  const state = { health: "Degraded", healthSince: argoTime(1) };
  const broken = { pods: [pod({ ready: false, reason: "ImagePullBackOff" })] };
  const looks = (inspection: object) =>
    words(
      [
        [0, state, inspection],
        [45, state, inspection],
        [46, { ...state, ...later(60) }, inspection],
      ],
      { baseline },
    ).at(-1);
  expect(looks(broken)).toBe("failed(degraded)");
  expect(looks({})).toBe("unknown");
});

test("degraded since our sync is ours without a baseline", () => {
  const since = (seconds: number) => ({ health: "Degraded", healthSince: argoTime(seconds) });
  const looks = (seconds: number) =>
    words(
      [
        [0, since(seconds)],
        [45, since(seconds)],
        [46, { ...since(seconds), ...later(60) }],
      ],
      { baseline: undefined },
    ).at(-1);
  expect(looks(20)).toBe("failed(degraded)");
  expect(looks(5)).toBe("unknown");
});

test("somebody who pauses it after it has fallen makes it paused, not crashing", () => {
  const down = { health: "Progressing" };
  const looks = words([
    [0, {}],
    [8, down],
    [12, {}],
    [20, down],
    [30, { health: "Suspended" }],
    [500, { health: "Suspended" }],
  ]);
  expect(looks.at(-1)).toBe("paused(suspended)");
});

test("a paused Rollout and anything else suspended have different names", () => {
  expect(words([[0, { health: "Suspended", hasRollout: true }]])).toEqual(["paused(rollout)"]);
  expect(words([[0, { health: "Suspended" }]])).toEqual(["paused(suspended)"]);
});

test("scaled to zero the applied manifests prove the image, and a dry run afterwards takes nothing away", () => {
  const zero = { summaryImages: [] };
  expect(words([[0, zero]])).toEqual(["candidate"]);
  expect(words([[0, { ...zero, operation: operation({ dryRun: true }) }]])).toEqual(["rolling"]);
  expect(
    words([
      [0, zero],
      [1, { ...zero, operation: operation({ dryRun: true, images: [] }) }],
    ]).at(-1),
  ).toBe("candidate");
});

const waiting = { sync: "OutOfSync", operation: operation({ revisions: [OLDER] }), summaryImages: [OLD_IMAGE] };

test("sync windows and progressive syncs are told by inspection, not more than once a minute", () => {
  const looks = follow([
    [0, waiting],
    [30, waiting, { canSync: false }],
    [40, waiting, { canSync: true }],
    [91, waiting, { canSync: true }],
  ]);
  expect(looks.map(({ word }) => word)).toEqual([
    "observed",
    "blocked(sync-window)",
    "blocked(sync-window)",
    "observed",
  ]);
  expect(looks[1]?.verdict.evidence).toContainEqual(
    expect.objectContaining({ field: "syncwindows.canSync", value: "false" }),
  );
  const owned = { ...waiting, automated: false, applicationSet: "shop" };
  expect(words([[0, owned, { rollingSync: "Waiting: step 2" }]])).toEqual(["blocked(rolling-sync)"]);
  expect(words([[0, owned, { rollingSync: "" }]])).toEqual(["blocked(manual-sync)"]);
});

test("a refresh that nobody answers stops the clock", () => {
  const asked = { revisions: [OLDER], annotations: { refresh: "normal", skipReconcile: false } };
  expect(
    words([
      [0, asked],
      [29, asked],
      [31, asked],
      [5_000, asked],
    ]),
  ).toEqual(["pushed", "pushed", "unknown", "unknown"]);
});

test("an operation that says Running for ever is stuck, unless the cluster is what we want anyway", () => {
  const lost = operation({ phase: "Running" });
  const state = { ...waiting, operation: lost, operationRequested: false };
  expect(
    words([
      [0, state],
      [59, state],
      [60, state],
    ]),
  ).toEqual(["observed", "observed", "blocked(operation-stuck)"]);
  expect(words([[0, { operation: lost }]])).toEqual(["candidate"]);
});

test("a newer value waits for the end of our operation: it can still fail", () => {
  const other = { revisions: ["d".repeat(40)], sync: "OutOfSync" };
  const running = operation({ phase: "Running", finishedAt: undefined });
  expect(words([[0, { ...other, operationRequested: true, operation: running }]])).toEqual(["syncing"]);
  expect(words([[0, { ...other, operation: operation({ phase: "Failed" }) }]])).toEqual(["failed(sync)"]);
  expect(words([[0, { ...other, operation: operation() }]])).toEqual(["superseded"]);
});

test("a sync that had failed in the same way before the commit is no failure of it, and may succeed later", () => {
  const failed = (message: string) => ({ operation: operation({ phase: "Failed", message }) });
  const baseline = { health: "Healthy", conditions: [], summaryImages: [], degraded: [], failedSync: "denied" };
  expect(words([[0, failed("denied")]], { baseline })).toEqual(["blocked(sync-error)"]);
  expect(
    words(
      [
        [0, failed("denied")],
        [1, {}],
      ],
      { baseline },
    ),
  ).toEqual(["blocked(sync-error)", "candidate"]);
  expect(words([[0, failed("no such field")]], { baseline })).toEqual(["failed(sync)"]);
});

test("evidence of kind spec: the parent has our commit, the child names our values, was compared and synced with them", () => {
  const elsewhere = [{ repoURL: "https://charts.example.com/shop.git", path: "chart", targetRevision: "v1" }];
  const child = { sources: elsewhere, parent: "apps", revisions: ["e".repeat(40)], comparedToSpec: true };
  const synced = {
    ...child,
    specValues: ["2.0.0"],
    operation: operation({ revisions: ["e".repeat(40)], ofThisSpec: true }),
  };
  const parent = snapshot({ ref: { cluster: "main", namespace: "argocd", name: "apps" } });
  const verdict = (state: Partial<ApplicationSnapshot>, over: Partial<ApplicationSnapshot> = {}) =>
    wordOf(judgeInspecting(judgeInput({ snapshot: snapshot(state), parent: { ...parent, ...over } })));
  expect(verdict(synced)).toBe("candidate");
  expect(verdict(synced, { revisions: [OLDER] })).toBe("pushed");
  expect(verdict(synced, { sync: "OutOfSync" })).toBe("pushed");
  expect(verdict({ ...synced, specValues: ["1.0.0"] })).toBe("unknown");
  expect(verdict({ ...synced, comparedToSpec: false })).toBe("unknown");
  expect(verdict({ ...synced, sync: "OutOfSync", operation: operation({ ofThisSpec: false }) })).toBe("observed");
  expect(verdict({ ...synced, summaryImages: [OLD_IMAGE] })).toBe("rolling");
  expect(verdict({ ...synced, operation: operation({ phase: "Failed", ofThisSpec: true }) })).toBe("failed(sync)");
  expect(verdict(synced, { revisions: ["d".repeat(40)] })).toBe("superseded");
});

test("an Application's parent, its spec's values and whether they were compared and applied are read from it", () => {
  const source = {
    repoURL: "r",
    path: "chart",
    helm: { parameters: [{ name: "image.tag", value: "2.0.0" }], values: "image:\n  tag: 2.1.0 # x\n" },
  };
  const read = toSnapshot("main", {
    metadata: {
      name: "checkout",
      annotations: { "argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/checkout" },
    },
    spec: { source: { ...source, kustomize: { images: [IMAGE] } } },
    status: {
      sync: { comparedTo: { source: { ...source, kustomize: { images: [IMAGE] }, directory: {} } } },
      operationState: { phase: "Succeeded", syncResult: { revision: OURS, source } },
      resources: [{ kind: "Rollout", status: "Synced" }],
    },
  });
  expect(read).toMatchObject({ parent: "apps", comparedToSpec: true, hasRollout: true });
  expect(read.specValues).toEqual([IMAGE, "2.0.0", "2.1.0"]);
  expect(read.operation?.ofThisSpec).toBe(false);
});
