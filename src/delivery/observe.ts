import type { Ids } from "../model/ambient.ts";
import { applicationsAt } from "../model/application.ts";
import type { Delivery, Ending, NewEvent, OutcomeReason } from "../model/delivery.ts";
import { OUTCOMES } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import type { ApplicationObservation, Observation, Verdict } from "../model/observation.ts";
import { combineVerdicts } from "../model/verdict.ts";
import type { DeliveryChange } from "../model/work.ts";
import { endFailed, takeOutHeld } from "./automatic.ts";
import { logEnded } from "./delivery-log.ts";
import { look, MAX_REST_MS, type Subject } from "./look.ts";
import type { ArgoCd, GitRepository, Log, Metrics, Settings, SourceHistory } from "./ports.ts";
import type { DeliveryStore } from "./store-ports.ts";
import { overBy, targetOf } from "./verify.ts";

export interface ObserveDeps {
  store: DeliveryStore;
  repository: (name: string) => GitRepository | undefined;
  argocd: ArgoCd;
  history: SourceHistory;
  settings: () => Settings;
  ids: Ids;
  log: Log;
  metrics: Metrics;
}

const FOREIGN_REST_MS = 2_000;

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
  await takeOutHeld(deps, delivery, signal);
  const looks = await Promise.all(
    (await applicationsOf(deps, subject)).map((application) => look(deps, subject, application, signal)),
  );
  const verdict = combineVerdicts(
    looks.flatMap(({ observed }) => (observed.verdict ? [observed.verdict] : [])),
    subject.target.healthyAtLeast,
  );
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
  const events = looks.flatMap(({ event }) => event ?? []);
  const change = changeOf(subject, { observation, verdict, events }, rest);
  const saved = await endFailed(deps, { delivery, change });
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
  const undecided = settings.undecided(delivery.targetId);
  if (undecided !== undefined) throw new GitspanError("targets-unknown", undecided, { transient: true });
  if (target === undefined || repository === undefined || git === undefined) {
    throw new Error(`the repository of ${delivery.targetId} is not configured`);
  }
  return { delivery, observation, commit, target, git, repositoryUrl: repository.url, now };
}

/** Frozen when written; found now where Argo CD could not be asked then, or the Application did not exist yet. */
async function applicationsOf(deps: ObserveDeps, subject: Subject): Promise<ApplicationObservation[]> {
  const { observation, target, repositoryUrl } = subject;
  if (observation.applications.length > 0) return observation.applications;
  const { paths } = observation;
  const refs =
    target.applications ??
    applicationsAt(await deps.argocd.find({ repositoryUrl, branch: target.branch, paths }), paths);
  return refs.map((ref) => ({ ref, memory: {} }));
}

async function isCurrent(deps: ObserveDeps, delivery: Delivery): Promise<boolean> {
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  return state?.current?.delivery.id === delivery.id;
}

function changeOf(
  subject: Subject,
  looked: { observation: Observation; verdict: Verdict; events: NewEvent[] },
  restMs: number,
): DeliveryChange {
  const { observation, verdict } = looked;
  const before = subject.observation.verdict;
  const isNews = before?.state !== verdict.state || before.reason !== verdict.reason;
  const data = { state: verdict.state, reason: verdict.reason, evidence: verdict.evidence };
  const events = [...(isNews ? [{ kind: "verdict", message: verdict.message, data }] : []), ...looked.events];
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
