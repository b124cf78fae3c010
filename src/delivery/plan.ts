import type { Build } from "../model/build.ts";
import type { Delivery, Ending, ImageValue } from "../model/delivery.ts";
import { type ErrorCode, GitspanError, isGitspanError } from "../model/errors.ts";
import type { CommitPlan, Identity, Oid } from "../model/git.ts";
import type { LaneWork, ReadyDelivery } from "../model/lane.ts";
import type { Target } from "../model/target.ts";
import { type Choice, type Chosen, choose } from "./choose.ts";
import { commitMessage, rollbackMessage } from "./message.ts";
import { placeRollback } from "./place-rollback.ts";
import { candidatePaths, type Placement, placeImages } from "./places.ts";
import type { GitRepository, Settings, SourceHistory } from "./ports.ts";
import type { ReadStore } from "./store-ports.ts";

export interface PlanDeps {
  history: SourceHistory;
  git: GitRepository;
  store: Pick<ReadStore, "delivery">;
}

export interface PlannedDelivery {
  delivery: Delivery;
  build: Build;
  target: Target;
  targetVersion: number;
  /** Undefined: the values stand already and the delivery adopts the commit that wrote them. */
  commit: CommitPlan | undefined;
  paths: string[];
  /** What the commit really brings, where that is not all that the delivery was for. */
  images?: ImageValue[];
  newImages: string[];
  oldImages: string[];
  warnings: string[];
}

export interface Plan extends Choice {
  /** One per target, oldest build first. */
  planned: PlannedDelivery[];
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
  const chosen: Chosen[] = [];
  const ready = Map.groupBy(input.work.ready, ({ delivery }) => delivery.targetId);
  for (const state of input.work.targets) {
    const choice = await choose(deps, { ...input, state, ready: ready.get(state.id) ?? [], choice: plan }, signal);
    if (choice !== undefined) chosen.push(choice);
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
      const { placement, message, images } = await place(deps, { candidate, target, files: read.files }, signal);
      if (message === undefined) {
        plan.ended.push({ delivery, ending: nothingOfOurs(target) });
        continue;
      }
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
                message,
                author: input.author,
                committer: input.author,
                time: input.work.now,
              },
        paths: placement.paths,
        ...(images && { images }),
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

/** What the delivery does to the files, and its commit's message; none when nothing that a rollback takes out is left. */
async function place(
  deps: PlanDeps,
  input: { candidate: ReadyDelivery; target: Target; files: Map<string, Uint8Array> },
  signal: AbortSignal,
): Promise<{ placement: Placement; message: string | undefined; images?: ImageValue[] }> {
  const { target, files } = input;
  const { delivery, build } = input.candidate;
  const { rollback } = delivery;
  if (target.misplaced !== undefined) {
    const { code, message, hint } = target.misplaced;
    throw new GitspanError(code, message, hint === undefined ? {} : { hint });
  }
  if (rollback === undefined) {
    return { placement: placeImages(target, delivery.images, files), message: commitMessage(delivery, build) };
  }
  const undone = await Promise.all(rollback.undoes.map((id) => deps.store.delivery(id)));
  const placement = await placeRollback(
    deps.git,
    { target, undone: undone.filter((one) => one !== undefined), wanted: delivery.images, files },
    signal,
  );
  const { images } = placement;
  const isLeft = placement.files.size > 0 || images.length > 0;
  const message = isLeft ? rollbackMessage({ ...delivery, images, rollback }, build, placement.reverted) : undefined;
  return { placement, message, images };
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

/** A pattern says where targets may be; those that are not there are no failure. */
export function isAbsent(target: Target, files: ReadonlyMap<string, Uint8Array>): boolean {
  return target.byPattern === true && candidatePaths(target).every((path) => !files.has(path));
}

function nothingOfOurs({ id }: Target): Ending {
  const message = `somebody else has changed every value of ${id} that was to be taken out: they stay as they are`;
  return { outcome: "overridden", reason: "changed", message };
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
