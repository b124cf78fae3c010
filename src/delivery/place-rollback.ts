import type { Delivery, ImageValue } from "../model/delivery.ts";
import { isGitspanError } from "../model/errors.ts";
import type { CommitInfo } from "../model/git.ts";
import { isDigest } from "../model/image.ts";
import { merged } from "../model/merge.ts";
import type { Place, Target } from "../model/target.ts";
import { editorOf } from "../overlays/editors.ts";
import { imageIntent } from "../overlays/intents.ts";
import { decode, type Files, imagesStand, type Placement, readable, references, takes } from "./places.ts";
import type { GitRepository } from "./ports.ts";
import { deliveryOfCommit } from "./trailers.ts";

export interface RollbackPlacement extends Placement {
  /** What stands afterwards where ours stood, the same in every place. */
  images: ImageValue[];
  /** Our own commits that are taken out, newest first. */
  reverted: CommitInfo[];
}

/** One of our commits: the text of each file that it wrote, before and after. */
interface OwnChange {
  commit: CommitInfo;
  before: Files;
  after: Files;
}

export interface RollbackPlan {
  target: Target;
  /** Newest first. */
  undone: readonly Delivery[];
  /** What is to stand again where Git cannot tell, as far as deliveries tell. */
  wanted: readonly ImageValue[];
  files: Files;
}

/**
 * Takes the deliveries' values out of the files: file by file what `git revert` of our commits gives where that applies,
 * else value by value. A value that is not the one we wrote stays as it is.
 */
export async function placeRollback(
  git: Pick<GitRepository, "lastChange" | "readFiles">,
  plan: RollbackPlan,
  signal: AbortSignal,
): Promise<RollbackPlacement> {
  const { target, undone, files } = plan;
  const changes: OwnChange[] = [];
  for (const delivery of undone) {
    const change = await ownChange(git, delivery, signal);
    if (change !== undefined) changes.push(change);
  }
  const ours = newestValues(undone);
  const wanted = [...plan.wanted, ...valuesFromText(target, { ours, wanted: plan.wanted, changes })];
  const placement: RollbackPlacement = {
    files: new Map(),
    paths: [],
    newImages: [],
    oldImages: [],
    warnings: [],
    images: [],
    reverted: changes.map(({ commit }) => commit),
  };
  const before: string[] = [];
  for (const [path, places] of Map.groupBy(target.places, (place) => readable(place, files))) {
    const concerned = places.filter((place) => ours.some((image) => takes(place, image)));
    if (path === undefined || concerned.length === 0) continue;
    const text = decode(path, files.get(path));
    const values = { places: concerned, path, text, ours, wanted };
    const result = byText(values, changes) ?? byValue(values);
    placement.paths.push(path);
    for (const place of concerned) {
      before.push(
        ...references(
          place,
          text,
          ours.filter((image) => takes(place, image)),
          path,
        ),
      );
      placement.newImages.push(
        ...references(
          place,
          result,
          ours.filter((image) => takes(place, image)),
          path,
        ),
      );
    }
    if (result !== text) placement.files.set(path, new TextEncoder().encode(result));
  }
  const now = new Set(placement.newImages);
  placement.newImages = [...now];
  placement.oldImages = [...new Set(before)].filter((old) => !now.has(old));
  const after = new Map([...files, ...placement.files]);
  placement.images = ours.flatMap((own) => {
    const told = wanted.find(({ repository }) => repository === own.repository);
    const value = standingNow(target, own, after);
    // Somebody else's value, which stays, is nothing that this brings.
    const isBrought = imagesStand(target, [own], files) || (told !== undefined && imagesStand(target, [told], after));
    return value !== undefined && isBrought ? [value] : [];
  });
  return placement;
}

/** Undefined for a delivery that adopted a commit of somebody else, or one that nobody can read any more. */
async function ownChange(
  git: Pick<GitRepository, "lastChange" | "readFiles">,
  { id, commit, observation }: Delivery,
  signal: AbortSignal,
): Promise<OwnChange | undefined> {
  if (commit === undefined || observation === undefined) return undefined;
  const { paths } = observation;
  try {
    const info = await git.lastChange(commit, paths, signal);
    const parent = info?.parents[0];
    if (info?.oid !== commit || parent === undefined || deliveryOfCommit(info) !== id) return undefined;
    return {
      commit: info,
      before: await git.readFiles(parent, paths, signal),
      after: await git.readFiles(commit, paths, signal),
    };
  } catch (error) {
    // Gone with a history that was rewritten: the values tell what is ours.
    if (isGitspanError(error, "git-not-found")) return undefined;
    throw error;
  }
}

function newestValues(undone: readonly Delivery[]): ImageValue[] {
  const values = new Map<string, ImageValue>();
  for (const image of undone.flatMap(({ images }) => images)) {
    if (!values.has(image.repository)) values.set(image.repository, image);
  }
  return [...values.values()];
}

/** Of images that no delivery before brought: what stood before the oldest of our commits that wrote them. */
function valuesFromText(
  target: Target,
  input: { ours: readonly ImageValue[]; wanted: readonly ImageValue[]; changes: readonly OwnChange[] },
): ImageValue[] {
  const unknown = input.ours.filter(({ repository }) => input.wanted.every((image) => image.repository !== repository));
  return unknown.flatMap((own) => {
    const found = input.changes.toReversed().flatMap(({ before }) => valuesOf(target, own, before));
    return found.slice(0, 1);
  });
}

/** What stands in the image's places, where it is told for certain. */
function valuesOf(target: Target, { name, repository }: ImageValue, files: Files): ImageValue[] {
  return target.places.flatMap((place): ImageValue[] => {
    const path = takes(place, { repository }) ? readable(place, files) : undefined;
    const found =
      path === undefined ? undefined : editorOf(place).read(decode(path, files.get(path)), repository, path);
    if (found?.tag === undefined && found?.digest === undefined) return [];
    const digest = found.digest !== undefined && isDigest(found.digest) ? found.digest : undefined;
    return [{ name, repository, ...(found.tag && { tag: found.tag }), ...(digest && { digest }) }];
  });
}

/** The one value that all places of the image hold; undefined when they differ, or when it is still ours. */
function standingNow(target: Target, own: ImageValue, files: Files): ImageValue | undefined {
  const [value] = valuesOf(target, own, files);
  const holds = (image: ImageValue): boolean => imagesStand(target, [image], files);
  return value !== undefined && holds(value) && !holds(own) ? value : undefined;
}

interface FileValues {
  places: readonly Place[];
  path: string;
  text: string;
  /** What we wrote last, and what is to stand again. */
  ours: readonly ImageValue[];
  wanted: readonly ImageValue[];
}

/** The text without our commits' changes; undefined where that conflicts, leaves a value of ours or touches another. */
function byText(values: FileValues, changes: readonly OwnChange[]): string | undefined {
  let text: string | undefined = values.text;
  for (const { before, after } of changes) {
    if (!after.has(values.path) && !before.has(values.path)) continue;
    if (text === undefined) return undefined;
    text = merged(decoded(after, values.path), text, decoded(before, values.path));
  }
  if (text === undefined) return undefined;
  const result = text;
  const isGood = eachValue(values).every(({ place, own, wanted }) => {
    const editor = editorOf(place);
    if (editor.holds(values.text, own)) {
      return !editor.holds(result, own) || (wanted !== undefined && editor.holds(result, wanted));
    }
    return isSameValue(editor.read(values.text, own.repository), editor.read(result, own.repository));
  });
  return isGood ? result : undefined;
}

/** Every value that is still ours becomes the one that is wanted. */
function byValue(values: FileValues): string {
  let { text } = values;
  for (const { place, own, wanted } of eachValue(values)) {
    if (wanted === undefined || !editorOf(place).holds(text, own)) continue;
    text = editorOf(place).edit(text, [imageIntent(wanted)], values.path).text;
  }
  return text;
}

function eachValue({ places, ours, wanted }: FileValues) {
  return places.flatMap((place) =>
    ours
      .filter((own) => takes(place, own))
      .map((own) => ({ place, own, wanted: wanted.find(({ repository }) => repository === own.repository) })),
  );
}

function isSameValue(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function decoded(files: Files, path: string): string {
  return files.has(path) ? decode(path, files.get(path)) : "";
}
