import type { Build } from "../model/build.ts";
import type { Delivery, Ending } from "../model/delivery.ts";
import { type ErrorCode, GitspanError, isGitspanError } from "../model/errors.ts";
import type { CommitPlan, Identity, Oid } from "../model/git.ts";
import { type Hold, heldBy } from "../model/hold.ts";
import type { Target } from "../model/target.ts";
import { commitMessage } from "./message.ts";
import { compareBuilds, newest } from "./order.ts";
import { candidatePaths, placeImages } from "./places.ts";
import type { GitRepository, Settings, SourceHistory } from "./ports.ts";
import type { LaneWork, ReadyDelivery, TargetState } from "./store-ports.ts";
import { expired, supersededBy, targetRemoved } from "./verify.ts";

export interface PlanDeps {
  history: SourceHistory;
  git: GitRepository;
}

export interface PlannedDelivery {
  delivery: Delivery;
  build: Build;
  target: Target;
  targetVersion: number;
  /** Undefined: the values stand already and the delivery adopts the commit that wrote them. */
  commit: CommitPlan | undefined;
  paths: string[];
  newImages: string[];
  oldImages: string[];
  warnings: string[];
}

export interface Plan {
  /** One per target, oldest build first. */
  planned: PlannedDelivery[];
  /** Deliveries that end here without being written. */
  ended: { delivery: Delivery; ending: Ending }[];
  /** Deliveries that have to look again whether they may be written. */
  deferred: Delivery[];
}

export interface PlanInput {
  work: LaneWork;
  tip: Oid;
  settings: Settings;
  author: Identity;
}

/** Failures of editing that a person has to put right in the files or in the configuration. */
const EDIT_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "edit-parse",
  "edit-not-found",
  "edit-ambiguous",
  "edit-shared-value",
  "edit-unsupported",
  "edit-unproven",
  "edit-too-large",
  "git-path-missing",
  "git-path-unsafe",
]);

/** Chooses the newest delivery of each target and works out its commit on the tip; each commit builds on the one before. */
export async function planLane(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<Plan> {
  const plan: Plan = { planned: [], ended: [], deferred: [] };
  const chosen: { candidate: ReadyDelivery; target: Target; state: TargetState; warnings: string[] }[] = [];
  for (const state of input.work.targets) {
    const choice = await choose(deps, input, state, plan, signal);
    if (choice !== undefined) chosen.push({ ...choice, state });
  }
  chosen.sort((a, b) => (a.candidate.delivery.id < b.candidate.delivery.id ? -1 : 1));

  const read = await readAhead(deps.git, input.tip, chosen, signal);
  for (const { candidate, target, state, warnings } of chosen) {
    const { delivery, build } = candidate;
    try {
      await readMissing(deps.git, input.tip, target, read, signal);
      const placement = placeImages(target, delivery.images, read.files);
      for (const [path, bytes] of placement.files) read.files.set(path, bytes);
      plan.planned.push({
        delivery,
        build,
        target,
        targetVersion: state.version,
        commit:
          placement.files.size === 0
            ? undefined
            : {
                files: placement.files,
                message: commitMessage(delivery, build),
                author: input.author,
                committer: input.author,
                time: input.work.now,
              },
        paths: placement.paths,
        newImages: placement.newImages,
        oldImages: placement.oldImages,
        warnings: [...warnings, ...placement.warnings],
      });
    } catch (error) {
      if (!(error instanceof GitspanError) || !EDIT_REFUSALS.has(error.code)) throw error;
      plan.ended.push({ delivery, ending: editRefused(error) });
    }
  }
  return plan;
}

interface ReadableFiles {
  files: Map<string, Uint8Array>;
  /** Paths that were asked for, whether or not they exist. */
  known: Set<string>;
}

/** All targets' files in one go; when one path is refused, nothing is known yet and each target reads its own. */
async function readAhead(
  git: GitRepository,
  tip: Oid,
  chosen: readonly { target: Target }[],
  signal: AbortSignal,
): Promise<ReadableFiles> {
  const known = new Set(chosen.flatMap(({ target }) => candidatePaths(target)));
  try {
    return { files: await git.readFiles(tip, [...known], signal), known };
  } catch (error) {
    if (!isGitspanError(error, "git-path-unsafe")) throw error;
    return { files: new Map(), known: new Set() };
  }
}

async function readMissing(
  git: GitRepository,
  tip: Oid,
  target: Target,
  read: ReadableFiles,
  signal: AbortSignal,
): Promise<void> {
  const missing = candidatePaths(target).filter((path) => !read.known.has(path));
  if (missing.length === 0) return;
  for (const [path, bytes] of await git.readFiles(tip, missing, signal)) read.files.set(path, bytes);
  for (const path of missing) read.known.add(path);
}

/** The delivery to write at one target, if any; the others end or wait. */
async function choose(
  deps: PlanDeps,
  input: PlanInput,
  state: TargetState,
  plan: Plan,
  signal: AbortSignal,
): Promise<{ candidate: ReadyDelivery; target: Target; warnings: string[] } | undefined> {
  const candidates = input.work.ready.filter(({ delivery }) => delivery.targetId === state.id);
  const best = await newest(deps.history, candidates, signal);
  if (best.newest === undefined) return undefined;
  for (const { delivery } of candidates) {
    if (delivery.id !== best.newest.delivery.id) {
      plan.ended.push({ delivery, ending: supersededBy(best.newest.delivery) });
    }
  }
  const { delivery, build } = best.newest;
  const target = input.settings.target(state.id);
  const ending = await endingOf(deps, input, { delivery, build, state, target }, signal);
  if (ending !== undefined) {
    plan.ended.push({ delivery, ending });
    return undefined;
  }
  if (state.pinned !== undefined || isHeld(input.work.holds, delivery, input.work.now)) {
    plan.deferred.push(delivery);
    return undefined;
  }
  return target === undefined ? undefined : { candidate: best.newest, target, warnings: best.warnings };
}

async function endingOf(
  deps: PlanDeps,
  input: PlanInput,
  subject: { delivery: Delivery; build: Build; state: TargetState; target: Target | undefined },
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const { delivery, build, state, target } = subject;
  if (target === undefined) return targetRemoved(delivery.targetId);
  if (delivery.expireAt <= input.work.now) return expired();
  const permission = { action: "deliver", app: target.app, environment: target.environment } as const;
  if (!input.settings.allows({ subject: build.subject, groups: build.groups }, permission)) {
    return {
      outcome: "rejected",
      reason: "forbidden",
      message: `${build.subject} may no longer deliver ${target.app} to ${target.environment}`,
    };
  }
  if (state.current === undefined) return undefined;
  const { order } = await compareBuilds(deps.history, build, state.current.build, signal);
  return order === "older" ? supersededBy(state.current.delivery) : undefined;
}

function isHeld(holds: readonly Hold[], delivery: Delivery, now: number): boolean {
  return heldBy(holds, delivery.targetId, delivery.images, now) !== undefined;
}

function editRefused(error: GitspanError): Ending {
  const at = error.at === undefined ? "" : `${error.at.file}:${error.at.line}:${error.at.column}: `;
  const hint = error.hint === undefined ? "" : ` ${error.hint}`;
  return { outcome: "rejected", reason: "edit-refused", message: `${at}${error.message}.${hint}` };
}
