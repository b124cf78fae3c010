import type { Ambient, Ids } from "../model/ambient.ts";
import type { Oid } from "../model/git.ts";
import type { Foreign, LaneClaim, LaneWork } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import type { Lane } from "../model/target.ts";
import { attemptItems } from "./attempt-item.ts";
import { fieldsOf, logEnded } from "./delivery-log.ts";
import { examineMove } from "./examine.ts";
import { importUnknown } from "./import-unknown.ts";
import { planLane } from "./plan.ts";
import type { ArgoCd, GitRepository, Log, Metrics, Settings, SourceHistory } from "./ports.ts";
import { type LaneResult, newRound, pushAttempt, type Round } from "./push.ts";
import { resolveAttempts } from "./resolve.ts";
import { REMEMBERED } from "./rollback.ts";
import type { DeliveryStore } from "./store-ports.ts";

export interface WriteDeps {
  store: DeliveryStore;
  history: SourceHistory;
  repository: (name: string) => GitRepository | undefined;
  argocd: ArgoCd;
  settings: () => Settings;
  /** Looks again where annotated Applications have their images written, at the lane's tip; absent: there are none. */
  settle?: (lane: Lane, tip: Oid, signal: AbortSignal) => Promise<void>;
  ids: Ids;
  ambient: Pick<Ambient, "clock" | "random">;
  log: Log;
  metrics: Metrics;
}

/** Rounds of one visit; a lane that still has work then goes back into the queue, so that no lane starves others. */
const MAX_ROUNDS = 12;

/**
 * Writes all that is ready in one lane: resolve, examine, plan, begin, push, settle (protocols.md section 3). Begins
 * nothing more once `stop` is aborted; `signal` breaks off what is under way. Between the reading of the tip and the
 * push others may win: only what has to be is done in between.
 */
export async function writeLane(
  deps: WriteDeps,
  claim: LaneClaim,
  signal: AbortSignal,
  stop: AbortSignal = signal,
): Promise<LaneResult> {
  const git = deps.repository(claim.lane.repository);
  if (git === undefined) return { kind: "blocked", why: `repository ${claim.lane.repository} is not configured` };
  const visit: Visit = { round: newRound(), examined: claim.lastSeenTip, stored: claim.lastSeenTip };
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
    signal.throwIfAborted();
    if (rounds > 0 && stop.aborted) return { kind: "again", why: "this process is stopping" };
    await restAfterRaces(deps, visit.round, signal);
    const step = await oneRound(deps, git, { claim, visit }, signal);
    if (step === "next") continue;
    if (visit.examined !== undefined && visit.examined !== visit.stored) {
      await deps.store.examined(claim, visit.examined, []);
    }
    return step.kind === "again" && visit.round.landed > 0 ? { ...step, landed: visit.round.landed } : step;
  }
  return { kind: "again", why: "not everything could be written in one visit", landed: visit.round.landed };
}

/** From so many lost races in a row on, others get a moment: two bots that always meet would meet for ever. */
const RACES_AT_ONCE = 3;
const RACE_REST_MS = 50;
const MAX_RACE_REST_MS = 2_000;

async function restAfterRaces({ ambient }: WriteDeps, { races }: Round, signal: AbortSignal): Promise<void> {
  if (races < RACES_AT_ONCE) return;
  const ceiling = Math.min(MAX_RACE_REST_MS, RACE_REST_MS * 2 ** (races - RACES_AT_ONCE));
  await ambient.clock.sleep(Math.round(ambient.random.next() * ceiling), signal);
}

interface Visit {
  round: Round;
  /** The tip up to which we know what others did, and the one that the store knows of. */
  examined: Oid | undefined;
  stored: Oid | undefined;
}

async function oneRound(
  deps: WriteDeps,
  git: GitRepository,
  { claim, visit }: { claim: LaneClaim; visit: Visit },
  signal: AbortSignal,
): Promise<LaneResult | "next"> {
  const { round } = visit;
  const readTip = (): Promise<Oid> => git.tip(claim.lane.branch, signal);
  const pushed = round.tip;
  round.tip = undefined;
  let [tip, work] = await Promise.all([pushed ?? readTip(), deps.store.laneWork(claim)]);
  const attempts = await resolveAttempts(
    { store: deps.store, git },
    { attempts: work.openAttempts, tip, now: work.now, epoch: claim.epoch },
    signal,
  );
  if (attempts.resolved > 0) {
    // Settling takes a while, in which others push on: what is planned on an old tip has lost before it begins. With
    // an attempt still open the tip stays the one that it was judged by.
    const isStale = attempts.open === 0 && pushed === undefined;
    [tip, work] = await Promise.all([isStale ? readTip() : tip, deps.store.laneWork(claim)]);
  }
  await deps.settle?.(claim.lane, tip, signal);
  // Between the examined base and the head of our own push are only commits of ours.
  const from = pushed === undefined && tip !== visit.examined ? visit.examined : undefined;
  const standing = from === undefined ? [] : await deps.store.standing(claim);
  const undecided = undecidedIn(deps.settings(), work, standing);
  if (undecided !== undefined) return { kind: "again", why: undecided };
  const foreign = from === undefined ? [] : await examine(deps, git, { claim, tip, from, standing }, signal);
  visit.examined = tip;
  if (foreign.length > 0) {
    if (!(await deps.store.examined(claim, tip, foreign))) return { kind: "idle" };
    visit.stored = tip;
    work = await deps.store.laneWork(claim);
  }
  if (await importUnknown(deps, git, { claim, tip, work }, signal)) work = await deps.store.laneWork(claim);
  return await writeOnce(deps, git, { claim, tip, work, visit }, signal);
}

/** What others did to a target that is not known yet could not be told, and the tip would count as seen. */
function undecidedIn(settings: Settings, { ready }: LaneWork, standing: readonly TargetState[]): string | undefined {
  const ids = [...standing.map(({ id }) => id), ...ready.map(({ delivery }) => delivery.targetId)];
  const id = ids.find((one) => settings.undecided(one) !== undefined);
  return id && settings.undecided(id);
}

function examine(
  deps: WriteDeps,
  git: GitRepository,
  input: { claim: LaneClaim; tip: Oid; from: Oid; standing: readonly TargetState[] },
  signal: AbortSignal,
): Promise<Foreign[]> {
  return examineMove(
    { git, ids: deps.ids, written: (targetId) => deps.store.written(targetId, REMEMBERED) },
    {
      laneId: input.claim.lane.id,
      from: input.from,
      tip: input.tip,
      targets: input.standing,
      settings: deps.settings(),
    },
    signal,
  );
}

async function writeOnce(
  deps: WriteDeps,
  git: GitRepository,
  input: { claim: LaneClaim; tip: Oid; work: LaneWork; visit: Visit },
  signal: AbortSignal,
): Promise<LaneResult | "next"> {
  const { claim, tip, work, visit } = input;
  const { round } = visit;
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
  const writing = plan.planned
    .filter((planned) => planned.commit !== undefined)
    .slice(0, Math.min(round.limit, round.batch));
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
  visit.stored = tip;
  for (const { delivery } of writing) deps.log.info("a delivery is pushed", fieldsOf(delivery));
  return pushAttempt({ ...deps, git }, { attempt, prepared, round }, signal);
}
