import type { Ids } from "../model/ambient.ts";
import type { Oid, PreparedPush, PushResult } from "../model/git.ts";
import type { Baseline, Observation } from "../model/observation.ts";
import { examineMove } from "./examine.ts";
import { baselineOf } from "./observation.ts";
import { type PlannedDelivery, planLane } from "./plan.ts";
import type { ArgoCd, GitRepository, Log, Metrics, Settings, SourceHistory } from "./ports.ts";
import { resolveAttempts } from "./resolve.ts";
import type { AttemptInput, AttemptItem, DeliveryStore, LaneClaim, LaneWork } from "./store-ports.ts";

export interface WriteDeps {
  store: DeliveryStore;
  history: SourceHistory;
  repository: (name: string) => GitRepository | undefined;
  argocd: ArgoCd;
  settings: () => Settings;
  ids: Ids;
  log: Log;
  metrics: Metrics;
}

/**
 * What one visit to a lane came to. `idle`: nothing left to write. `again`: something is left, and a moment helps.
 * `blocked`: the server refuses everybody, only people can help.
 */
export type LaneResult = { kind: "idle" } | { kind: "again" | "blocked"; why: string; retryAfterMs?: number };

/** Rounds of one visit; a lane that still has work then goes back into the queue, so that no lane starves others. */
const MAX_ROUNDS = 12;

interface Round {
  /** How many deliveries may go into one push; shrinks while the culprit of a refusal is sought. */
  limit: number;
  /** The tip, where our own push has just told it. */
  tip: Oid | undefined;
}

/** Writes all that is ready in one lane: resolve, examine, plan, begin, push, settle (protocols.md section 3). */
export async function writeLane(deps: WriteDeps, claim: LaneClaim, signal: AbortSignal): Promise<LaneResult> {
  const git = deps.repository(claim.lane.repository);
  if (git === undefined) return { kind: "blocked", why: `repository ${claim.lane.repository} is not configured` };
  let lastSeenTip = claim.lastSeenTip;
  const round: Round = { limit: Number.POSITIVE_INFINITY, tip: undefined };
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
    signal.throwIfAborted();
    const pushed = round.tip;
    const tip = pushed ?? (await git.tip(claim.lane.branch, signal));
    round.tip = undefined;
    let work = await deps.store.laneWork(claim);
    const attempts = await resolveAttempts(
      { store: deps.store, git },
      { attempts: work.openAttempts, tip, now: work.now },
      signal,
    );
    if (attempts.resolved > 0) work = await deps.store.laneWork(claim);
    if (tip !== lastSeenTip) {
      // Between the examined base and the head of our own push are only commits of ours.
      const from = pushed === undefined ? lastSeenTip : undefined;
      if (!(await examine(deps, git, { claim, tip, lastSeenTip: from, work }, signal))) return { kind: "idle" };
      lastSeenTip = tip;
      work = await deps.store.laneWork(claim);
    }
    const step = await writeOnce(deps, git, { claim, tip, work, round }, signal);
    if (step !== "next") return step;
  }
  return { kind: "again", why: "the branch keeps moving" };
}

/** False when the lane was lost to another owner. */
async function examine(
  deps: WriteDeps,
  git: GitRepository,
  input: { claim: LaneClaim; tip: Oid; lastSeenTip: Oid | undefined; work: LaneWork },
  signal: AbortSignal,
): Promise<boolean> {
  const foreign =
    input.lastSeenTip === undefined
      ? []
      : await examineMove(
          git,
          { from: input.lastSeenTip, tip: input.tip, targets: input.work.targets, settings: deps.settings() },
          signal,
        );
  return deps.store.examined(input.claim, input.tip, foreign);
}

async function writeOnce(
  deps: WriteDeps,
  git: GitRepository,
  input: { claim: LaneClaim; tip: Oid; work: LaneWork; round: Round },
  signal: AbortSignal,
): Promise<LaneResult | "next"> {
  const { claim, tip, work, round } = input;
  const settings = deps.settings();
  const repository = settings.repository(claim.lane.repository);
  if (repository === undefined)
    return { kind: "blocked", why: `repository ${claim.lane.repository} is not configured` };
  if (work.ready.length === 0) return { kind: "idle" };

  const plan = await planLane(
    { history: deps.history, git },
    { work, tip, settings, author: repository.author },
    signal,
  );
  let settled = 0;
  for (const { delivery, ending } of plan.ended) {
    if (await deps.store.save(delivery, { phase: "done", ending })) settled++;
  }
  for (const delivery of plan.deferred) {
    if (await deps.store.save(delivery, { phase: "received" })) settled++;
  }
  for (const planned of plan.planned.filter(({ commit }) => commit === undefined)) {
    const item = await attemptItem(deps, git, repository.url, claim, tip, planned, signal);
    const adoption = { id: deps.ids.uuid(), claim, base: tip, configHash: settings.hash, items: [item] };
    if ((await deps.store.adopt(adoption)).kind === "lane-lost") return { kind: "idle" };
    settled++;
  }
  const writing = plan.planned.filter((planned) => planned.commit !== undefined).slice(0, round.limit);
  if (writing.length === 0) {
    if (settled > 0) return "next";
    return work.openAttempts.length > 0 ? { kind: "again", why: "an earlier push may still land" } : { kind: "idle" };
  }

  const prepared = await git.prepare(
    claim.lane.branch,
    tip,
    writing.flatMap((planned) => (planned.commit === undefined ? [] : [planned.commit])),
    signal,
  );
  const items = await Promise.all(
    writing.map((planned, index) => {
      const commit = prepared.commits[index] ?? prepared.head;
      return attemptItem(deps, git, repository.url, claim, commit, planned, signal);
    }),
  );
  const attempt = { id: deps.ids.uuid(), claim, base: tip, head: prepared.head, configHash: settings.hash, items };
  const begun = await deps.store.beginAttempt(attempt);
  if (begun.kind === "lane-lost") return { kind: "idle" };
  if (begun.kind === "refused") return "next";
  return settle(deps, git, { attempt, prepared, round }, signal);
}

/** Pushes a begun attempt and acts on the answer. */
async function settle(
  deps: WriteDeps,
  git: GitRepository,
  input: { attempt: AttemptInput; prepared: PreparedPush; round: Round },
  signal: AbortSignal,
): Promise<LaneResult | "next"> {
  const { attempt, prepared, round } = input;
  const result = await git.push(prepared, signal);
  deps.metrics.push(result.kind);
  const stored = { id: attempt.id, laneId: attempt.claim.lane.id };
  const fields = { lane: stored.laneId, deliveries: attempt.items.length, result: result.kind };
  deps.log.info("pushed", fields);
  switch (result.kind) {
    case "landed":
      await deps.store.attemptLanded(stored);
      round.limit = Number.POSITIVE_INFINITY;
      round.tip = prepared.head;
      return "next";
    case "lost-race":
      return "next";
    case "unclear":
      deps.log.warn("push has no clear answer", { ...fields, message: result.message });
      return { kind: "again", why: result.message };
    case "unavailable":
      await deps.store.attemptDead(stored, result.message);
      return { kind: "again", why: result.message, retryAfterMs: result.retryAfterMs };
    case "refused":
      return refused(deps, { result, stored, items: attempt.items, round });
  }
}

/** A refusal of everybody blocks the lane; any other is bisected, so that only the culprit is rejected. */
async function refused(
  deps: WriteDeps,
  input: {
    result: Extract<PushResult, { kind: "refused" }>;
    stored: { id: string; laneId: string };
    items: readonly AttemptItem[];
    round: Round;
  },
): Promise<LaneResult | "next"> {
  const { result, stored, items, round } = input;
  await deps.store.attemptDead(stored, result.message);
  if (result.reason === "auth" || result.reason === "not-found") return { kind: "blocked", why: result.message };
  if (items.length > 1) {
    round.limit = Math.ceil(items.length / 2);
    return "next";
  }
  round.limit = Number.POSITIVE_INFINITY;
  const culprit = await deps.store.delivery(items[0]?.deliveryId ?? "");
  if (culprit === undefined) return "next";
  const ending = { outcome: "rejected", reason: "push-refused", message: result.message } as const;
  await deps.store.save(culprit, { phase: "done", ending });
  return "next";
}

async function attemptItem(
  deps: WriteDeps,
  git: GitRepository,
  repositoryUrl: string,
  claim: LaneClaim,
  commit: Oid,
  planned: PlannedDelivery,
  signal: AbortSignal,
): Promise<AttemptInput["items"][number]> {
  const adopted = planned.commit === undefined ? await git.lastChange(commit, planned.paths, signal) : undefined;
  const observation: Observation = {
    pushedAt: 0,
    paths: planned.paths,
    newImages: planned.newImages,
    oldImages: planned.oldImages,
    applications: await freezeApplications(deps, repositoryUrl, claim, planned),
  };
  return {
    deliveryId: planned.delivery.id,
    targetId: planned.target.id,
    commit: adopted?.oid ?? commit,
    observation,
    deliveryVersion: planned.delivery.version,
    targetVersion: planned.targetVersion,
  };
}

/** The Applications that run the target, as they stand before the push. Argo CD out of reach must not stop a commit. */
async function freezeApplications(
  deps: WriteDeps,
  repositoryUrl: string,
  claim: LaneClaim,
  planned: PlannedDelivery,
): Promise<Observation["applications"]> {
  try {
    const refs =
      planned.target.applications ??
      (await deps.argocd.find({ repositoryUrl, branch: claim.lane.branch, paths: planned.paths }));
    return await Promise.all(
      refs.map(async (ref) => {
        const snapshots = await deps.argocd.snapshots(ref, undefined);
        const latest = snapshots.at(-1);
        const baseline: Baseline | undefined = latest === undefined ? undefined : baselineOf(latest);
        return { ref, baseline, memory: { resourceVersion: latest?.resourceVersion } };
      }),
    );
  } catch (error) {
    deps.log.warn("Argo CD could not be asked before a push", { target: planned.target.id, error });
    return [];
  }
}
