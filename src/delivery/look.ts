import type { ApplicationSnapshot } from "../model/application.ts";
import type { Delivery, NewEvent } from "../model/delivery.ts";
import { messageOf } from "../model/errors.ts";
import type { JudgeInput } from "../model/judgement.ts";
import type { ApplicationObservation, Observation, RevisionFacts, Verdict } from "../model/observation.ts";
import type { Target } from "../model/target.ts";
import { stopObstruction } from "./obstruction.ts";
import { candidatePaths, imagesStand } from "./places.ts";
import type { ArgoCd, GitRepository, Log } from "./ports.ts";

export interface LookDeps {
  argocd: ArgoCd;
  log: Log;
}

/** A landed delivery, and the time of this look. */
export interface Subject {
  delivery: Delivery;
  observation: Observation;
  commit: string;
  target: Target;
  git: GitRepository;
  repositoryUrl: string;
  now: number;
}

interface Looked {
  observed: ApplicationObservation;
  restMs: number;
  event?: NewEvent | undefined;
}

/** The longest rest between two looks: the watch brings a delivery forward, this is the guarantee. */
export const MAX_REST_MS = 10_000;
const SHA = /^[0-9a-f]{40}$/;

/** Judges what was seen of one Application since the last look, and asks for what the judge needs. */
export async function look(
  deps: LookDeps,
  subject: Subject,
  application: ApplicationObservation,
  signal: AbortSignal,
): Promise<Looked> {
  const snapshots = await snapshotsOf(deps, application, signal);
  if (!Array.isArray(snapshots)) return { observed: standing(subject, application, snapshots), restMs: MAX_REST_MS };
  const latest = snapshots.at(-1);
  if (latest === undefined) {
    return { observed: standing(subject, application, gone(application)), restMs: MAX_REST_MS };
  }
  let { memory, verdict } = application;
  let restMs = MAX_REST_MS;
  let refresh = false;
  const facts = new Facts(subject, signal);
  const { delivery, now, observation } = subject;
  for (const snapshot of snapshots) {
    const parent = await parentOf(deps, snapshot);
    const { revisions, lost } = await facts.of(parent === undefined ? [snapshot] : [snapshot, parent]);
    const question: JudgeInput = {
      commit: subject.commit,
      repositoryUrl: subject.repositoryUrl,
      branch: subject.target.branch,
      paths: subject.observation.paths,
      images: { new: observation.newImages, old: observation.oldImages },
      snapshot,
      ...(parent === undefined ? {} : { parent }),
      revisions,
      lost,
      baseline: application.baseline,
      memory,
      pushedAt: subject.observation.pushedAt,
      now: subject.now,
      settings: subject.target.policy,
    };
    let judgement = deps.argocd.judge(question);
    if (judgement.inspect !== undefined && snapshot === latest) {
      const inspection = await deps.argocd.inspect(application.ref, judgement.inspect, signal);
      judgement = deps.argocd.judge({ ...question, inspection });
    }
    ({ memory, verdict } = judgement);
    refresh = judgement.refresh;
    restMs = judgement.lookAgainMs;
    if (verdict.state === "failed") break;
  }
  if (refresh) await requestRefresh(deps, application, signal);
  const { revisions } = await facts.of([latest]);
  const sinceMs = now - observation.pushedAt;
  const obstruction = { delivery, application, snapshot: latest, revisions, sinceMs };
  const { terminated = application.terminated, event } = await stopObstruction(deps, obstruction, signal);
  return { observed: { ...application, memory, verdict, ...(terminated && { terminated }) }, restMs, event };
}

/** A verdict where this Argo CD cannot be asked now: what the others say counts all the same. */
async function snapshotsOf(
  deps: LookDeps,
  { ref, memory }: ApplicationObservation,
  signal: AbortSignal,
): Promise<ApplicationSnapshot[] | Verdict> {
  try {
    return await deps.argocd.snapshots(ref, memory.resourceVersion);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn("Argo CD could not be asked", { application: ref, error });
    const message = `Argo CD ${ref.cluster} cannot be asked just now: ${messageOf(error)}`;
    const evidence = [{ field: "argocd", value: ref.cluster, rule: "cannot be asked" }];
    return { state: "unknown", message, evidence };
  }
}

/** A refresh that fails is asked for again at a later look; it decides nothing. */
async function requestRefresh(deps: LookDeps, application: ApplicationObservation, signal: AbortSignal): Promise<void> {
  try {
    await deps.argocd.refresh(application.ref, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn("Argo CD refused or missed a refresh", { application: application.ref, error });
  }
}

/** What Git says of every commit that snapshots name; what cannot be read stays unknown and proves nothing. Each is asked once. */
class Facts {
  readonly #subject: Subject;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, RevisionFacts | undefined>();
  #lost: Promise<boolean> | undefined;

  constructor(subject: Subject, signal: AbortSignal) {
    this.#subject = subject;
    this.#signal = signal;
  }

  async of(
    snapshots: readonly ApplicationSnapshot[],
  ): Promise<{ revisions: Map<string, RevisionFacts>; lost: boolean }> {
    const revisions = new Map<string, RevisionFacts>();
    for (const revision of new Set(snapshots.flatMap(namedBy))) {
      if (!this.#known.has(revision)) {
        this.#known.set(revision, await revisionFacts(this.#subject, revision, this.#signal));
      }
      const facts = this.#known.get(revision);
      if (facts !== undefined) revisions.set(revision, facts);
    }
    if ([...revisions.values()].some(({ covers }) => covers)) return { revisions, lost: false };
    this.#lost ??= isLost(this.#subject, this.#signal);
    return { revisions, lost: await this.#lost };
  }
}

function namedBy({ revisions, operation }: ApplicationSnapshot): string[] {
  const named = [...revisions, ...(operation?.revisions ?? []), ...(operation?.requestedRevisions ?? [])];
  return named.filter((name) => SHA.test(name));
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

/** The Application that deploys this one, if that is one that we see. */
async function parentOf(
  deps: LookDeps,
  { ref, parent }: ApplicationSnapshot,
): Promise<ApplicationSnapshot | undefined> {
  if (parent === undefined || parent === ref.name) return undefined;
  return (await deps.argocd.snapshots({ ...ref, name: parent }, undefined)).at(-1);
}

/** Nobody can be blamed for this time: the timeout's clock stands. */
function standing(subject: Subject, application: ApplicationObservation, verdict: Verdict): ApplicationObservation {
  const memory = { ...application.memory, blockedSince: application.memory.blockedSince ?? subject.now };
  return { ...application, memory, verdict };
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
