import type { Ids } from "../model/ambient.ts";
import type { Oid } from "../model/git.ts";
import type { LaneClaim, LaneWork } from "../model/lane.ts";
import { attemptItems } from "./attempt-item.ts";
import { fieldsOf, logEnded } from "./delivery-log.ts";
import { examineMove } from "./examine.ts";
import { importUnknown } from "./import-unknown.ts";
import { planLane } from "./plan.ts";
import type { ArgoCd, GitRepository, Log, Metrics, Settings, SourceHistory } from "./ports.ts";
import { type LaneResult, pushAttempt, type Round } from "./push.ts";
import { resolveAttempts } from "./resolve.ts";
import { REMEMBERED } from "./rollback.ts";
import type { DeliveryStore } from "./store-ports.ts";
import { overBy } from "./verify.ts";

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

/** Rounds of one visit; a lane that still has work then goes back into the queue, so that no lane starves others. */
const MAX_ROUNDS = 12;

/**
 * Writes all that is ready in one lane: resolve, examine, plan, begin, push, settle (protocols.md section 3). Begins
 * nothing more once `stop` is aborted; `signal` breaks off what is under way.
 */
export async function writeLane(
  deps: WriteDeps,
  claim: LaneClaim,
  signal: AbortSignal,
  stop: AbortSignal = signal,
): Promise<LaneResult> {
  await endOver(deps, claim);
  const git = deps.repository(claim.lane.repository);
  if (git === undefined) return { kind: "blocked", why: `repository ${claim.lane.repository} is not configured` };
  let lastSeenTip = claim.lastSeenTip;
  const round: Round = { limit: Number.POSITIVE_INFINITY, tip: undefined };
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
    signal.throwIfAborted();
    if (rounds > 0 && stop.aborted) return { kind: "again", why: "this process is stopping" };
    const pushed = round.tip;
    let tip = pushed ?? (await git.tip(claim.lane.branch, signal));
    round.tip = undefined;
    let work = await deps.store.laneWork(claim);
    const attempts = await resolveAttempts(
      { store: deps.store, git },
      { attempts: work.openAttempts, tip, now: work.now, epoch: claim.epoch },
      signal,
    );
    if (attempts.resolved > 0) {
      work = await deps.store.laneWork(claim);
      // Settling takes a while, in which others push on: what is planned on an old tip has lost before it begins. With
      // an attempt still open the tip stays the one that it was judged by.
      if (attempts.open === 0 && pushed === undefined) tip = await git.tip(claim.lane.branch, signal);
    }
    if (tip !== lastSeenTip) {
      // Between the examined base and the head of our own push are only commits of ours.
      const from = pushed === undefined ? lastSeenTip : undefined;
      if (!(await examine(deps, git, { claim, tip, lastSeenTip: from, work }, signal))) return { kind: "idle" };
      lastSeenTip = tip;
      work = await deps.store.laneWork(claim);
    }
    if (await importUnknown(deps, git, { claim, tip, work }, signal)) work = await deps.store.laneWork(claim);
    const step = await writeOnce(deps, git, { claim, tip, work, round }, signal);
    if (step !== "next") return step;
  }
  return { kind: "again", why: "not everything could be written in one visit" };
}

/** Every wait has an end, also that for a repository which cannot be reached or is no longer configured. */
async function endOver(deps: WriteDeps, claim: LaneClaim): Promise<void> {
  const { ready, now } = await deps.store.laneWork(claim);
  for (const { delivery } of ready) {
    const ending = overBy(deps.settings(), delivery, now);
    if (ending !== undefined) await deps.store.save(delivery, { phase: "done", ending });
  }
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
          { git, ids: deps.ids, written: (targetId) => deps.store.written(targetId, REMEMBERED) },
          {
            laneId: input.claim.lane.id,
            from: input.lastSeenTip,
            tip: input.tip,
            targets: input.work.targets,
            settings: deps.settings(),
          },
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
    { history: deps.history, git, store: deps.store },
    { work, tip, settings, author: repository.author },
    signal,
  );
  const where = { lane: claim.lane, repositoryUrl: repository.url };
  let settled = 0;
  for (const { delivery, ending } of plan.ended) {
    if (!(await deps.store.save(delivery, { phase: "done", ending }))) continue;
    logEnded(deps.log, delivery, ending);
    settled++;
  }
  for (const delivery of plan.deferred) {
    if (await deps.store.save(delivery, { phase: "received" })) settled++;
  }
  const standing = plan.planned.flatMap((planned) => (planned.commit === undefined ? [{ planned, commit: tip }] : []));
  for (const item of await attemptItems({ ...deps, git }, { ...where, planned: standing }, signal)) {
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
  const carried = writing.map((planned, index) => ({ planned, commit: prepared.commits[index] ?? prepared.head }));
  const items = await attemptItems({ ...deps, git }, { ...where, planned: carried }, signal);
  const attempt = { id: deps.ids.uuid(), claim, base: tip, head: prepared.head, configHash: settings.hash, items };
  // Planned for a configuration that is no longer in force: perhaps for another place, perhaps without permission.
  if (deps.settings().hash !== settings.hash) return "next";
  const begun = await deps.store.beginAttempt(attempt);
  if (begun.kind === "lane-lost") return { kind: "idle" };
  if (begun.kind === "refused") return "next";
  for (const { delivery } of writing) deps.log.info("a delivery is pushed", fieldsOf(delivery));
  return pushAttempt({ ...deps, git }, { attempt, prepared, round }, signal);
}
