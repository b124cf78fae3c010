import type { Build } from "../model/build.ts";
import type { Delivery, Ending } from "../model/delivery.ts";
import { type ErrorCode, type GitspanError, isGitspanError } from "../model/errors.ts";
import type { CommitPlan, Identity, Oid } from "../model/git.ts";
import { type Hold, heldBy } from "../model/hold.ts";
import type { LaneWork, ReadyDelivery } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import type { Target } from "../model/target.ts";
import { commitMessage } from "./message.ts";
import { compareBuilds, newest } from "./order.ts";
import { candidatePaths, placeImages } from "./places.ts";
import type { GitRepository, Settings, SourceHistory } from "./ports.ts";
import { overBy, supersededBy, targetOf } from "./verify.ts";

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
  "git-too-large",
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
  const changed = new Set<string>();
  for (const { candidate, target, state, warnings } of chosen) {
    const { delivery, build } = candidate;
    try {
      await readMissing(deps.git, input.tip, target, read, signal);
      if (isAbsent(target, read.files)) {
        plan.ended.push({ delivery, ending: absent(target) });
        continue;
      }
      const placement = placeImages(target, delivery.images, read.files);
      // What stands only by a commit of this plan is on no branch yet: adopted once that has landed.
      if (placement.files.size === 0 && placement.paths.some((path) => changed.has(path))) continue;
      for (const [path, bytes] of placement.files) {
        read.files.set(path, bytes);
        changed.add(path);
      }
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
      const refused = editRefusal(error);
      if (refused === undefined) throw error;
      plan.ended.push({ delivery, ending: editRefused(refused) });
    }
  }
  return plan;
}

interface ReadableFiles {
  files: Map<string, Uint8Array>;
  /** Paths that were asked for, whether or not they exist. */
  known: Set<string>;
}

/** All targets' files in one go; when one file is refused, nothing is known yet and each target reads its own. */
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
    if (!isGitspanError(error) || !EDIT_REFUSALS.has(error.code)) throw error;
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
  const candidates: ReadyDelivery[] = [];
  for (const candidate of input.work.ready) {
    if (candidate.delivery.targetId !== state.id) continue;
    const ending = overBy(input.settings, candidate.delivery, input.work.now) ?? forbidden(input.settings, candidate);
    if (ending === undefined) candidates.push(candidate);
    else plan.ended.push({ delivery: candidate.delivery, ending });
  }
  const best = await newest(deps.history, candidates, signal);
  if (best.newest === undefined) return undefined;
  for (const { delivery } of candidates) {
    if (delivery.id !== best.newest.delivery.id) {
      plan.ended.push({ delivery, ending: supersededBy(best.newest.delivery) });
    }
  }
  const { delivery, build } = best.newest;
  if (state.current !== undefined) {
    const { order } = await compareBuilds(deps.history, build, state.current.build, signal);
    if (order === "older") {
      plan.ended.push({ delivery, ending: supersededBy(state.current.delivery) });
      return undefined;
    }
  }
  if (state.pinned !== undefined || isHeld(input.work.holds, delivery, input.work.now)) {
    plan.deferred.push(delivery);
    return undefined;
  }
  const target = targetOf(input.settings, delivery);
  return target === undefined ? undefined : { candidate: best.newest, target, warnings: best.warnings };
}

/** Permission is asked for again before every write: access rules change while a delivery waits. */
function forbidden(settings: Settings, { delivery, build }: ReadyDelivery): Ending | undefined {
  const { app, environment } = delivery;
  if (settings.allows({ subject: build.subject, groups: build.groups }, { action: "deliver", app, environment })) {
    return undefined;
  }
  const message = `${build.subject} may no longer deliver ${app} to ${environment}`;
  return { outcome: "rejected", reason: "forbidden", message };
}

function isHeld(holds: readonly Hold[], delivery: Delivery, now: number): boolean {
  return heldBy(holds, delivery.targetId, delivery.images, now) !== undefined;
}

/** A pattern says where targets may be; those that are not there are no failure. */
export function isAbsent(target: Target, files: ReadonlyMap<string, Uint8Array>): boolean {
  return target.byPattern === true && candidatePaths(target).every((path) => !files.has(path));
}

function absent(target: Target): Ending {
  const [path = ""] = candidatePaths(target);
  const message = `${target.app} is not in ${target.environment}: there is no ${path}, where the pattern has it`;
  return { outcome: "cancelled", reason: "target-removed", message };
}

/** The error if a person has to put it right in the files or in the configuration. */
export function editRefusal(error: unknown): GitspanError | undefined {
  return isGitspanError(error) && EDIT_REFUSALS.has(error.code) ? error : undefined;
}

function editRefused(error: GitspanError): Ending {
  const at = error.at === undefined ? "" : `${error.at.file}:${error.at.line}:${error.at.column}: `;
  const hint = error.hint === undefined ? "" : ` ${error.hint}`;
  return { outcome: "rejected", reason: "edit-refused", message: `${at}${error.message}.${hint}` };
}
