import { judge } from "../../src/argocd/verdict.ts";
import type { ApplicationOperation, ApplicationSnapshot, Inspection, PodState } from "../../src/model/application.ts";
import type { JudgeInput, Judgement } from "../../src/model/judgement.ts";
import type { VerdictMemory } from "../../src/model/observation.ts";

export const OURS = "a".repeat(40);
export const OLDER = "b".repeat(40);
export const LATER = "c".repeat(40);
export const FOREIGN = "d".repeat(40);
export const IMAGE = "registry.example.com/shop/checkout:2.0.0";
export const OLD_IMAGE = "registry.example.com/shop/checkout:1.0.0";
export const PUSHED_AT = Date.UTC(2026, 0, 1);

/** Argo CD's clock: seconds after an arbitrary minute of its own. */
export function argoTime(seconds: number): string {
  return new Date(Date.UTC(2030, 5, 1, 12, 0, seconds)).toISOString().replace(".000Z", "Z");
}

export function operation(change: Partial<ApplicationOperation> = {}): ApplicationOperation {
  return {
    phase: "Succeeded",
    message: "successfully synced (all tasks run)",
    startedAt: argoTime(9),
    finishedAt: argoTime(10),
    retryCount: 0,
    revisions: [OURS],
    requestedRevisions: [OURS],
    partial: false,
    dryRun: false,
    images: [IMAGE],
    ...change,
  };
}

/** Deployed and healthy at our commit, unless changed. */
export function snapshot(change: Partial<ApplicationSnapshot> = {}): ApplicationSnapshot {
  return {
    ref: { cluster: "main", namespace: "argocd", name: "checkout" },
    uid: "uid",
    resourceVersion: "1",
    sources: [{ repoURL: "https://git.example.com/gitops.git", path: "apps/checkout", targetRevision: "main" }],
    multiSource: false,
    project: "default",
    annotations: { skipReconcile: false },
    automated: true,
    specValues: [],
    hasRollout: false,
    sync: "Synced",
    revisions: [OURS],
    health: "Healthy",
    healthMessage: "",
    reconciledAt: argoTime(11),
    operationRequested: false,
    operation: operation(),
    conditions: [],
    summaryImages: [IMAGE],
    resources: [],
    ...change,
  };
}

export function judgeInput(change: Partial<JudgeInput> = {}): JudgeInput {
  return {
    commit: OURS,
    repositoryUrl: "https://git.example.com/gitops.git",
    branch: "main",
    paths: ["apps/checkout/kustomization.yaml"],
    images: { new: [IMAGE], old: [OLD_IMAGE] },
    snapshot: snapshot(),
    revisions: new Map([
      [OURS, { covers: true, content: "ours" }],
      [OLDER, { covers: false, content: "unknown" }],
      [LATER, { covers: true, content: "ours" }],
      [FOREIGN, { covers: true, content: "other" }],
    ]),
    lost: false,
    baseline: { health: "Healthy", conditions: [], summaryImages: [OLD_IMAGE], degraded: [] },
    memory: {},
    pushedAt: PUSHED_AT,
    now: PUSHED_AT,
    settings: { settleMs: 30_000, timeoutMs: 600_000 },
    ...change,
  };
}

export function wordOf({ verdict }: Pick<Judgement, "verdict">): string {
  return verdict.reason === undefined ? verdict.state : `${verdict.state}(${verdict.reason})`;
}

/** As the bridge does: what the judge wants to inspect is inspected, and the same snapshot judged again. */
export function judgeInspecting(input: JudgeInput, inspection: Omit<Inspection, "kind"> = {}): Judgement {
  const judgement = judge(input);
  const { inspect: kind } = judgement;
  return kind === undefined ? judgement : judge({ ...input, inspection: { kind, ...inspection } });
}

/** The verdict of a first look at such a snapshot. */
export function glance(change: Partial<ApplicationSnapshot>, input: Partial<JudgeInput> = {}): string {
  return wordOf(judge(judgeInput({ ...input, snapshot: snapshot(change) })));
}

/** Looks one after another, with memory: seconds after the push, and what the Application is like then. */
export function follow(
  looks: readonly (readonly [number, Partial<ApplicationSnapshot>, Omit<Inspection, "kind">?])[],
  change: Partial<JudgeInput> = {},
): (Judgement & { word: string })[] {
  let memory: VerdictMemory = {};
  return looks.map(([seconds, state, inspection], index) => {
    const input = judgeInput({
      ...change,
      snapshot: snapshot({ resourceVersion: String(index + 1), ...state }),
      memory,
      now: PUSHED_AT + seconds * 1_000,
    });
    const judgement = judgeInspecting(input, inspection);
    ({ memory } = judgement);
    return { ...judgement, word: wordOf(judgement) };
  });
}

export function words(
  looks: readonly (readonly [number, Partial<ApplicationSnapshot>, Omit<Inspection, "kind">?])[],
  change: Partial<JudgeInput> = {},
): string[] {
  return follow(looks, change).map(({ word }) => word);
}

/** What Argo CD compared so many seconds after the beginning. */
export const later = (seconds: number) => ({ reconciledAt: argoTime(seconds) });

/** A Pod of the new image that runs. */
export const pod = (change: Partial<PodState> = {}): PodState => ({
  name: "checkout-1",
  images: [IMAGE],
  ready: true,
  restarts: 0,
  reason: "Running",
  owner: "checkout",
  ...change,
});
