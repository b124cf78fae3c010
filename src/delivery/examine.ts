import type { Ids } from "../model/ambient.ts";
import type { Delivery } from "../model/delivery.ts";
import type { CommitInfo, Oid } from "../model/git.ts";
import type { Foreign } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import type { Target } from "../model/target.ts";
import { holdsOn } from "./holds-on.ts";
import { candidatePaths, type Files, imagesStand, standingImages } from "./places.ts";
import type { GitRepository, Settings } from "./ports.ts";
import { revertedBy } from "./trailers.ts";
import type { Written } from "./undone.ts";
import { targetOf } from "./verify.ts";

export interface ExamineDeps {
  git: GitRepository;
  ids: Ids;
  /** What we wrote to the target, newest landing first; the last of it at least. */
  written: (targetId: string) => Promise<Written[]>;
}

export interface ExamineInput {
  laneId: string;
  /** The tip that was examined last. */
  from: Oid;
  tip: Oid;
  targets: readonly TargetState[];
  settings: Settings;
}

interface Watched {
  target: Target;
  current: Delivery;
  overridden: TargetState["overridden"];
  paths: string[];
}

/** The commits between two tips. */
interface Move {
  tip: Oid;
  /** Newest first. */
  commits: readonly CommitInfo[];
  files: Files;
}

/** What the commits between two tips did to values that we had written (protocols.md section 5). */
export async function examineMove(deps: ExamineDeps, input: ExamineInput, signal: AbortSignal): Promise<Foreign[]> {
  const { git } = deps;
  const watched = input.targets.flatMap((state): Watched[] => {
    const current = state.current?.delivery;
    const target = current && targetOf(input.settings, current);
    if (target === undefined || current?.laneId !== input.laneId) return [];
    return [{ target, current, overridden: state.overridden, paths: candidatePaths(target) }];
  });
  if (watched.length === 0) return [];
  const { commits, connected } = await git.range(input.from, input.tip, signal);
  const suspects = await suspectsOf(git, { ...input, watched, commits, connected }, signal);
  if (suspects.length === 0) return [];

  const files = await git.readFiles(input.tip, [...new Set(suspects.flatMap((entry) => entry.paths))], signal);
  const move = { tip: input.tip, commits, files };
  const found = await Promise.all(suspects.map((suspect) => judge(deps, suspect, move, signal)));
  return found.filter((one) => one !== undefined);
}

/**
 * Whose files differ between the tips; and whose commit came after the first one, as a push without an answer does:
 * there, a commit and its revert make no difference. Of a history that was rewritten everything is suspect.
 */
async function suspectsOf(
  git: GitRepository,
  input: { from: Oid; tip: Oid; watched: Watched[]; commits: readonly CommitInfo[]; connected: boolean },
  signal: AbortSignal,
): Promise<Watched[]> {
  if (!input.connected) return input.watched;
  const all = [...new Set(input.watched.flatMap((entry) => entry.paths))];
  const changed = new Set(await git.changedPaths(input.from, input.tip, all, signal));
  const since = new Set(input.commits.map(({ oid }) => oid));
  return input.watched.filter(
    ({ current, paths }) => paths.some((path) => changed.has(path)) || since.has(current.commit ?? ""),
  );
}

/** What became of one target's values; undefined when they stand, or when that was told already. */
async function judge(
  deps: ExamineDeps,
  { target, current, overridden, paths }: Watched,
  move: Move,
  signal: AbortSignal,
): Promise<Foreign | undefined> {
  const stands = imagesStand(target, current.images, move.files);
  if (stands && overridden === undefined) return undefined;
  if (!stands && overridden?.kind === "reverted") return undefined;
  const written = await deps.written(target.id);
  const named = move.commits.filter((commit) => revertedBy(commit).some((oid) => written.some(carries(oid))));
  const culprit = named[0] ?? (await deps.git.lastChange(move.tip, paths, signal)) ?? move.commits[0];
  const told = { targetId: target.id, deliveryId: current.id, commit: culprit?.oid ?? move.tip };
  if (stands) return { ...told, kind: "restored", message: describe("restored", culprit) };
  const standing = safely(() => standingImages(target, current.images, move.files));
  if (named.length === 0 && !isRestored(standing, { current, written })) {
    return overridden === undefined ? { ...told, kind: "changed", message: describe("changed", culprit) } : undefined;
  }
  const undone = takenOut(written, { current, named, standing });
  const message = describe("reverted", culprit);
  return {
    ...told,
    kind: "reverted",
    message,
    also: undone
      .filter(({ delivery }) => delivery.id !== current.id)
      .map(({ delivery }) => ({ deliveryId: delivery.id, commit: namedBy(named, delivery) ?? told.commit })),
    ...(target.policy.onManualRevert === "hold-digest"
      ? { holds: holdsFor(deps.ids, { undone, standing, message }) }
      : {}),
  };
}

function carries(oid: string): (one: Written) => boolean {
  return ({ delivery }) => delivery.commit?.startsWith(oid) === true;
}

function namedBy(named: readonly CommitInfo[], delivery: Delivery): Oid | undefined {
  return named.find((commit) => revertedBy(commit).some((oid) => delivery.commit?.startsWith(oid)))?.oid;
}

/** Some value is one that the target held before, and no value is one that we do not know. */
function isRestored(
  standing: readonly string[],
  { current, written }: { current: Delivery; written: Written[] },
): boolean {
  const ours = current.observation?.newImages ?? [];
  const held = new Set(
    written.flatMap(({ delivery: { observation } }) => [
      ...(observation?.oldImages ?? []),
      ...(observation?.newImages ?? []),
    ]),
  );
  const foreign = standing.filter((image) => !ours.includes(image));
  return foreign.length > 0 && foreign.every((image) => held.has(image));
}

/** Those that a commit names, and all that came after the delivery whose values stand again: newest first. */
function takenOut(
  written: readonly Written[],
  { current, named, standing }: { current: Delivery; named: readonly CommitInfo[]; standing: readonly string[] },
): Written[] {
  const backTo = written.findIndex(({ delivery }, index) => {
    const brought = delivery.observation?.newImages ?? [];
    return index > 0 && brought.length > 0 && standing.length > 0 && standing.every((image) => brought.includes(image));
  });
  return written.filter(
    ({ delivery }, index) =>
      delivery.kind !== "rollback" &&
      (delivery.id === current.id || (delivery.revertedBy === undefined && index < backTo) || namedBy(named, delivery)),
  );
}

/** On what a person took out, where the target is not pinned for it. */
function holdsFor(
  ids: Ids,
  { undone, standing, message }: { undone: readonly Written[]; standing: readonly string[]; message: string },
): Foreign["holds"] {
  const kept = new Set(standing.map((image) => image.slice(image.indexOf("@") + 1)));
  return undone.flatMap(({ delivery: { targetId, images }, build }) =>
    holdsOn(ids, { targetId, images, buildId: build.id, kept, by: "git", why: message }),
  );
}

function describe(kind: Foreign["kind"], commit: CommitInfo | undefined): string {
  const who = commit === undefined ? "somebody" : commit.author;
  const where = commit === undefined ? "" : ` in ${commit.oid.slice(0, 12)}`;
  const what = { reverted: "reverted it", changed: "wrote another value", restored: "put its value back" }[kind];
  return `${who} ${what}${where}`;
}

/** A file that nobody can read any more holds none of the old values. */
function safely(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
