import type { ApplicationSnapshot } from "../model/application.ts";
import type { Delivery, Ending, OutcomeReason } from "../model/delivery.ts";
import { OUTCOMES } from "../model/delivery.ts";
import { messageOf } from "../model/errors.ts";
import type { ApplicationObservation, Observation, RevisionFacts, Verdict } from "../model/observation.ts";
import type { Target } from "../model/target.ts";
import { combineVerdicts } from "../model/verdict.ts";
import type { DeliveryChange } from "../model/work.ts";
import { logEnded } from "./delivery-log.ts";
import { candidatePaths, imagesStand } from "./places.ts";
import type { ArgoCd, GitRepository, Log, Metrics, Settings } from "./ports.ts";
import type { DeliveryStore } from "./store-ports.ts";
import { overBy, targetOf } from "./verify.ts";

export interface ObserveDeps {
  store: DeliveryStore;
  repository: (name: string) => GitRepository | undefined;
  argocd: ArgoCd;
  settings: () => Settings;
  log: Log;
  metrics: Metrics;
}

/** The longest rest between two looks: the watch brings a delivery forward, this is the guarantee. */
const MAX_REST_MS = 10_000;
const FOREIGN_REST_MS = 2_000;
const SHA = /^[0-9a-f]{40}$/;

interface Subject {
  delivery: Delivery;
  observation: Observation;
  commit: string;
  target: Target;
  git: GitRepository;
  repositoryUrl: string;
  now: number;
}

/** Looks once at what Argo CD makes of a landed delivery: its verdict, or its end. */
export async function observe(deps: ObserveDeps, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const now = await deps.store.now();
  const subject = subjectOf(deps, delivery, now);
  if ("ending" in subject) {
    if (await deps.store.save(delivery, { phase: "done", ending: subject.ending })) {
      logEnded(deps.log, delivery, subject.ending);
    }
    return;
  }
  const looks = await Promise.all(
    (await applicationsOf(deps, subject)).map((application) => look(deps, subject, application, signal)),
  );
  const verdict = combineVerdicts(looks.flatMap(({ observed }) => (observed.verdict ? [observed.verdict] : [])));
  const observation = { ...subject.observation, applications: looks.map(({ observed }) => observed), verdict };
  const rest = Math.min(MAX_REST_MS, ...looks.map(({ restMs }) => restMs));
  if (verdict.state === "superseded" && (await isCurrent(deps, delivery))) {
    // Not by one of ours: the lane finds out who wrote another value, and ends this delivery as overridden.
    await deps.store.wakeLane(delivery.laneId);
    const message = "another value stands on the branch";
    // A lane that cannot be read now would otherwise be woken without rest.
    const dueInMs = subject.observation.verdict?.state === "superseded" ? MAX_REST_MS : FOREIGN_REST_MS;
    await deps.store.save(delivery, { phase: "following", message, observation, dueInMs });
    return;
  }
  const change = changeOf(subject, observation, verdict, rest);
  const saved = await deps.store.save(delivery, change);
  if (!saved || change.ending === undefined) return;
  logEnded(deps.log, delivery, change.ending);
  if (change.ending.outcome === "healthy") deps.metrics.commitToHealthy((now - observation.pushedAt) / 1_000);
}

function subjectOf(deps: ObserveDeps, delivery: Delivery, now: number): Subject | { ending: Ending } {
  const { observation, commit } = delivery;
  if (observation === undefined || commit === undefined) throw new Error(`delivery ${delivery.id} follows nothing`);
  const settings = deps.settings();
  const target = targetOf(settings, delivery);
  const repository = target === undefined ? undefined : settings.repository(target.repository);
  const git = target === undefined ? undefined : deps.repository(target.repository);
  const over = overBy(settings, delivery, now);
  if (over !== undefined) return { ending: { ...over, message: `${over.message}; commit ${commit} stays as it is` } };
  if (target === undefined || repository === undefined || git === undefined) {
    throw new Error(`the repository of ${delivery.targetId} is not configured`);
  }
  return { delivery, observation, commit, target, git, repositoryUrl: repository.url, now };
}

/** Frozen when written; found now where Argo CD could not be asked then, or the Application did not exist yet. */
async function applicationsOf(deps: ObserveDeps, subject: Subject): Promise<ApplicationObservation[]> {
  const { observation, target, repositoryUrl } = subject;
  if (observation.applications.length > 0) return observation.applications;
  const refs =
    target.applications ?? (await deps.argocd.find({ repositoryUrl, branch: target.branch, paths: observation.paths }));
  return refs.map((ref) => ({ ref, memory: {} }));
}

async function isCurrent(deps: ObserveDeps, delivery: Delivery): Promise<boolean> {
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  return state?.current?.delivery.id === delivery.id;
}

async function look(
  deps: ObserveDeps,
  subject: Subject,
  application: ApplicationObservation,
  signal: AbortSignal,
): Promise<{ observed: ApplicationObservation; restMs: number }> {
  const snapshots = await snapshotsOf(deps, application, signal);
  if (!Array.isArray(snapshots)) return { observed: { ...application, verdict: snapshots }, restMs: MAX_REST_MS };
  let { memory, verdict } = application;
  let restMs = MAX_REST_MS;
  let refresh = false;
  for (const snapshot of snapshots) {
    const { revisions, lost } = await factsOf(subject, snapshot, signal);
    const judgement = deps.argocd.judge({
      commit: subject.commit,
      repositoryUrl: subject.repositoryUrl,
      branch: subject.target.branch,
      paths: subject.observation.paths,
      images: {
        new: subject.observation.newImages,
        old: subject.observation.oldImages,
      },
      snapshot,
      revisions,
      lost,
      baseline: application.baseline,
      memory,
      pushedAt: subject.observation.pushedAt,
      now: subject.now,
      settings: subject.target.policy,
    });
    ({ memory, verdict } = judgement);
    refresh = judgement.refresh;
    restMs = judgement.lookAgainMs;
    if (verdict.state === "failed") break;
  }
  if (snapshots.length === 0) verdict = gone(application);
  if (refresh) await requestRefresh(deps, application, signal);
  return { observed: { ...application, memory, verdict }, restMs };
}

/** A verdict where this Argo CD cannot be asked now: what the others say counts all the same. */
async function snapshotsOf(
  deps: ObserveDeps,
  { ref, memory }: ApplicationObservation,
  signal: AbortSignal,
): Promise<ApplicationSnapshot[] | Verdict> {
  try {
    return await deps.argocd.snapshots(ref, memory.resourceVersion);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn("Argo CD could not be asked", { application: ref, error });
    const message = `Argo CD ${ref.cluster} cannot be asked just now: ${messageOf(error)}`;
    return { state: "unknown", message, evidence: [] };
  }
}

/** A refresh that fails is asked for again at a later look; it decides nothing. */
async function requestRefresh(
  deps: ObserveDeps,
  application: ApplicationObservation,
  signal: AbortSignal,
): Promise<void> {
  try {
    await deps.argocd.refresh(application.ref, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn("Argo CD refused or missed a refresh", { application: application.ref, error });
  }
}

/** What Git says of every commit that the snapshot names; what cannot be read stays unknown and proves nothing. */
async function factsOf(
  subject: Subject,
  snapshot: ApplicationSnapshot,
  signal: AbortSignal,
): Promise<{ revisions: Map<string, RevisionFacts>; lost: boolean }> {
  const named = [
    ...snapshot.revisions,
    ...(snapshot.operation?.revisions ?? []),
    ...(snapshot.operation?.requestedRevisions ?? []),
  ];
  const revisions = new Map<string, RevisionFacts>();
  for (const revision of new Set(named.filter((name) => SHA.test(name)))) {
    const facts = await revisionFacts(subject, revision, signal);
    if (facts !== undefined) revisions.set(revision, facts);
  }
  const unseen = [...revisions.values()].every((facts) => !facts.covers);
  return { revisions, lost: unseen && (await isLost(subject, signal)) };
}

async function revisionFacts(
  subject: Subject,
  revision: string,
  signal: AbortSignal,
): Promise<RevisionFacts | undefined> {
  const { git, commit, target, delivery } = subject;
  try {
    const covers = revision === commit || (await git.isAncestor(commit, revision, signal));
    if (!covers) return { covers, content: "unknown" };
    const files = await git.readFiles(revision, candidatePaths(target), signal);
    return { covers, content: imagesStand(target, delivery.images, files) ? "ours" : "other" };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** True when the branch no longer contains the commit: somebody rewrote its history. */
async function isLost(subject: Subject, signal: AbortSignal): Promise<boolean> {
  const { git, commit, target } = subject;
  try {
    const tip = await git.tip(target.branch, signal);
    return !(await git.isAncestor(commit, tip, signal));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function gone(application: ApplicationObservation): Verdict {
  const name = `${application.ref.namespace}/${application.ref.name}`;
  return {
    state: "blocked",
    reason: "no-application",
    message: `Application ${name} does not exist`,
    evidence: [{ field: "metadata.name", value: name, rule: "no such Application" }],
  };
}

function changeOf(subject: Subject, observation: Observation, verdict: Verdict, restMs: number): DeliveryChange {
  const before = subject.observation.verdict;
  const isNews = before?.state !== verdict.state || before.reason !== verdict.reason;
  const data = { state: verdict.state, reason: verdict.reason, evidence: verdict.evidence };
  const events = isNews ? [{ kind: "verdict", message: verdict.message, data }] : [];
  const ending = endingOf(verdict);
  if (ending !== undefined) return { phase: "done", ending, observation, events };
  return { phase: "following", message: verdict.message, observation, dueInMs: restMs, events };
}

function endingOf(verdict: Verdict): Ending | undefined {
  const { state, reason, message } = verdict;
  if (state === "healthy" || state === "superseded") return { outcome: state, message };
  if (state !== "failed") return undefined;
  return { outcome: "failed", reason: failureOf(reason), message };
}

function failureOf(reason: Verdict["reason"]): OutcomeReason {
  return OUTCOMES.failed.find((known) => known === reason) ?? "timed-out";
}
