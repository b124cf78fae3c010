import type { ImageValue } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import type { Place, Target } from "../model/target.ts";
import { editors } from "../overlays/editors.ts";
import { imageIntent } from "../overlays/intents.ts";

/** A repository's files at one commit, as far as they were read. */
export type Files = ReadonlyMap<string, Uint8Array>;

export interface Placement {
  /** Changed files with their new content; empty when everything stands already. */
  files: Map<string, Uint8Array>;
  /** Every file in which our values stand afterwards. */
  paths: string[];
  /** References that workloads name afterwards. */
  newImages: string[];
  /** References that stood there before and stand there no longer. */
  oldImages: string[];
  warnings: string[];
}

/** Every path that may have to be read to write or check a target. */
export function candidatePaths(target: Target): string[] {
  return target.places.flatMap(pathsOf);
}

/** Writes the values into the target's files. Throws the editor's `edit-*` errors. */
export function placeImages(target: Target, images: readonly ImageValue[], files: Files): Placement {
  const placement: Placement = { files: new Map(), paths: [], newImages: [], oldImages: [], warnings: [] };
  for (const place of target.places) {
    const path = fileOf(place, files);
    const before = decode(path, placement.files.get(path) ?? files.get(path));
    const result = editors[place.format].edit(before, images.map(imageIntent), path);
    placement.paths.push(path);
    placement.warnings.push(...result.warnings);
    const now = references(place, result.text, images, path);
    placement.newImages.push(...now);
    placement.oldImages.push(...references(place, before, images, path).filter((old) => !now.includes(old)));
    if (result.text !== before) placement.files.set(path, new TextEncoder().encode(result.text));
  }
  return placement;
}

/** Whether all values stand in the files; a file that is gone or cannot be read holds nothing. */
export function imagesStand(target: Target, images: readonly ImageValue[], files: Files): boolean {
  return target.places.every((place) => {
    const path = readable(place, files);
    if (path === undefined) return false;
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(files.get(path));
    return images.every((image) => editors[place.format].holds(text, image));
  });
}

/** What stands in the target's files for these images, as references; a file that is gone has none. */
export function standingImages(target: Target, images: readonly ImageValue[], files: Files): string[] {
  return target.places.flatMap((place) => {
    const path = readable(place, files);
    return path === undefined ? [] : references(place, decode(path, files.get(path)), images, path);
  });
}

/** The images as workloads will name them; an image that stands nowhere for certain has none. */
function references(place: Place, text: string, images: readonly ImageValue[], path: string): string[] {
  return images.flatMap(({ repository }) => {
    const found = editors[place.format].read(text, repository, path);
    if (found?.newTag === undefined && found?.digest === undefined) return [];
    const { newName = repository, newTag: tag, digest } = found;
    return [`${newName}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`];
  });
}

function pathsOf(place: Place): string[] {
  return editors[place.format].fileNames.map((name) => (place.directory === "" ? name : `${place.directory}/${name}`));
}

function readable(place: Place, files: Files): string | undefined {
  return pathsOf(place).find((candidate) => files.has(candidate));
}

/** Exactly one of the names must exist: with two, kustomize itself refuses to render. */
function fileOf(place: Place, files: Files): string {
  const [path, second] = pathsOf(place).filter((candidate) => files.has(candidate));
  const where = place.directory === "" ? "the repository's root" : place.directory;
  if (path === undefined) {
    throw new GitspanError("git-path-missing", `${where} has no kustomization file`, {
      hint: "Create the overlay, or correct the target's `kustomize` path in the configuration.",
    });
  }
  if (second === undefined) return path;
  throw new GitspanError("edit-ambiguous", `${where} has both ${path} and ${second}`, {
    hint: "Remove one of them: kustomize refuses a folder with two.",
    at: { file: path, line: 1, column: 1 },
  });
}

function decode(path: string, bytes: Uint8Array | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new GitspanError("edit-parse", `${path} is not UTF-8 text`, {
      cause,
      hint: "Save the file as UTF-8.",
      at: { file: path, line: 1, column: 1 },
    });
  }
}
