import type { Ids } from "../model/ambient.ts";
import type { ImageValue } from "../model/delivery.ts";
import type { CommitInfo, Oid } from "../model/git.ts";
import type { NewHold } from "../model/hold.ts";
import { formatImageReference } from "../model/image.ts";
import type { ImportedDelivery, ImportedTarget } from "../model/import.ts";
import type { TargetState } from "../model/reading.ts";
import { laneOf, type Target } from "../model/target.ts";
import { holdsOn } from "./holds-on.ts";
import { candidatePaths, type Files, imagesStand, standingImages } from "./places.ts";
import type { GitRepository } from "./ports.ts";
import { type OwnCommit, ownCommit, revertedBy } from "./trailers.ts";

export interface ImportInput {
  target: Target;
  state: TargetState;
  tip: Oid;
  history: BranchHistory;
}

/** A branch's commits, read once for all targets. */
export interface BranchHistory {
  /** Newest first. */
  commits: readonly CommitInfo[];
  /** Ours by the target that they name, newest first. */
  own: ReadonlyMap<string, OwnCommit[]>;
}

/** `commits` newest first. */
export function branchHistory(commits: readonly CommitInfo[]): BranchHistory {
  const own = commits.flatMap((commit) => ownCommit(commit) ?? []);
  return { commits, own: Map.groupBy(own, ({ target }) => target) };
}

/** So many deliveries of a target are imported: they tell which values it held before. */
const IMPORTED = 10;

/**
 * What the branch tells of a target that the database has never written: the deliveries that our commits name, what
 * somebody took out since, and what a rollback of ours holds (protocols.md section 5). Undefined when it tells nothing.
 */
export async function importTarget(
  deps: { git: Pick<GitRepository, "readFiles" | "lastChange">; ids: Ids },
  { target, state, tip, history }: ImportInput,
  signal: AbortSignal,
): Promise<ImportedTarget | undefined> {
  const own = history.own.get(target.id) ?? [];
  const known = own.filter((one) => one.images.some(({ repository }) => isOf(target, repository))).slice(0, IMPORTED);
  const [newest] = known;
  if (newest === undefined) return undefined;
  const paths = candidatePaths(target);
  const deliveries = known.map((one) => importedDelivery(deps.ids, { target, one, paths, own: known }));
  const imported: ImportedTarget = {
    targetId: target.id,
    targetVersion: state.version,
    app: target.app,
    environment: target.environment,
    lane: laneOf(target),
    deliveries,
    holds: holdsOfRollback(deps.ids, target, deliveries),
  };
  const files = await deps.git.readFiles(tip, paths, signal);
  const images = valuesOf(target, newest);
  if (imagesStand(target, images, files)) return imported;

  const reverts = revertsOf(known, history.commits);
  const culprit = reverts[0] ?? (await deps.git.lastChange(tip, paths, signal));
  const isRevert = reverts.length > 0 || (await heldBefore(deps.git, { target, known, images, files, paths }, signal));
  const kind = isRevert ? "reverted" : "changed";
  const why = `${culprit?.author ?? "somebody"} ${isRevert ? "reverted it" : "wrote another value"}, as the branch tells`;
  const [first, ...rest] = deliveries;
  if (first !== undefined) imported.deliveries = [{ ...first, revertedBy: culprit?.oid ?? tip }, ...rest];
  imported.overridden = { kind, commit: culprit?.oid ?? tip };
  if (!isRevert) return imported;
  if (target.policy.onManualRevert === "hold-digest" && first !== undefined) {
    const hold = { targetId: target.id, buildId: first.build.id, by: "git", why };
    imported.holds.push(...holdsOn(deps.ids, { ...hold, images: first.images, kept: new Set() }));
  } else {
    imported.pin = { by: "git", why };
  }
  return imported;
}

function importedDelivery(
  ids: Ids,
  input: { target: Target; one: OwnCommit; paths: string[]; own: readonly OwnCommit[] },
): ImportedDelivery {
  const { target, one, paths, own } = input;
  const { commit, delivery, reverts, source, run } = one;
  const images = valuesOf(target, one);
  const restores = own.slice(own.indexOf(one) + 1).find((older) => !reverts.includes(older.delivery))?.delivery;
  const takenOutBy = own.find((newer) => newer.reverts.includes(delivery))?.commit.oid;
  const [first] = reverts;
  return {
    id: delivery,
    kind: first === undefined ? "build" : "rollback",
    commit: commit.oid,
    images,
    observation: {
      pushedAt: commit.committedAt,
      paths,
      newImages: one.images.map(formatImageReference),
      oldImages: [],
      applications: [],
    },
    ...(first === undefined
      ? {}
      : {
          rollback: {
            reverts: first,
            undoes: reverts,
            ...(restores === undefined ? {} : { restores }),
            trigger: "manual" as const,
            why: "read from the history of the branch",
          },
        }),
    ...(takenOutBy === undefined ? {} : { revertedBy: takenOutBy }),
    build: {
      id: ids.uuid(),
      report: {
        artifacts: images.map(({ name, repository, tag, digest }) => ({
          name,
          repository,
          ...(tag && { tag }),
          ...(digest && { digest }),
        })),
        source,
        ...(run === undefined ? {} : { run }),
      },
    },
  };
}

function isOf(target: Target, repository: string): boolean {
  return target.images.some((image) => image.repository === repository);
}

function valuesOf(target: Target, { images }: OwnCommit): ImageValue[] {
  return images.flatMap(({ repository, tag, digest }) => {
    const name = target.images.find((image) => image.repository === repository)?.name;
    return name === undefined ? [] : [{ name, repository, ...(tag && { tag }), ...(digest && { digest }) }];
  });
}

/** Other people's commits since the newest of ours that name one of ours, newest first. */
function revertsOf(known: readonly OwnCommit[], history: readonly CommitInfo[]): CommitInfo[] {
  const since = history.findIndex(({ oid }) => oid === known[0]?.commit.oid);
  return history
    .slice(0, Math.max(0, since))
    .filter((commit) => ownCommit(commit) === undefined)
    .filter((commit) => revertedBy(commit).some((oid) => known.some((one) => one.commit.oid.startsWith(oid))));
}

/** What stands is what an earlier delivery brought, or what stood before the first one. */
async function heldBefore(
  git: Pick<GitRepository, "readFiles">,
  input: { target: Target; known: readonly OwnCommit[]; images: ImageValue[]; files: Files; paths: string[] },
  signal: AbortSignal,
): Promise<boolean> {
  const { target, known, images, files, paths } = input;
  const standing = safely(() => standingImages(target, images, files));
  if (standing.length === 0) return false;
  for (const { commit } of known) {
    const [parent] = commit.parents;
    if (parent === undefined) continue;
    const before = await git.readFiles(parent, paths, signal);
    const held = safely(() => standingImages(target, images, before));
    if (held.length > 0 && standing.every((image) => held.includes(image))) return true;
  }
  return false;
}

/** Where a rollback of ours stands last, what it took out is held again. */
function holdsOfRollback(ids: Ids, target: Target, deliveries: readonly ImportedDelivery[]): NewHold[] {
  const [newest] = deliveries;
  const undoes = newest?.rollback?.undoes ?? [];
  const kept = new Set((newest?.images ?? []).flatMap(({ digest }) => digest ?? []));
  return deliveries
    .filter(({ id }) => undoes.includes(id))
    .flatMap(({ images, build }) => {
      const why = `taken out by rollback ${newest?.id ?? ""}`;
      return holdsOn(ids, { targetId: target.id, images, buildId: build.id, kept, by: "gitspan", why });
    });
}

function safely(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
