import type { ImageValue } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import type { Place, Target } from "../model/target.ts";
import { editorOf } from "../overlays/editors.ts";
import { writeReference } from "../overlays/image-text.ts";
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
  return [...new Set(target.places.flatMap((place) => editorOf(place).paths))];
}

/** Writes the values into the target's files. Throws the editor's `edit-*` errors. */
export function placeImages(target: Target, images: readonly ImageValue[], files: Files): Placement {
  const placement: Placement = { files: new Map(), paths: [], newImages: [], oldImages: [], warnings: [] };
  const before: string[] = [];
  for (const { place, own } of written(target, images)) {
    const path = fileOf(place, files);
    const text = decode(path, placement.files.get(path) ?? files.get(path));
    const result = editorOf(place, target.digestPolicy).edit(text, own.map(imageIntent), path);
    placement.paths.push(path);
    placement.warnings.push(...result.warnings);
    placement.newImages.push(...references(place, result.text, own, path));
    before.push(...references(place, text, own, path));
    if (result.text !== text) placement.files.set(path, new TextEncoder().encode(result.text));
  }
  const now = new Set(placement.newImages);
  return {
    ...placement,
    paths: [...new Set(placement.paths)],
    newImages: [...now],
    oldImages: [...new Set(before)].filter((old) => !now.has(old)),
    warnings: [...new Set(placement.warnings)],
  };
}

/** Whether all values stand in the files; a file that is gone or cannot be read holds nothing. */
export function imagesStand(target: Target, images: readonly ImageValue[], files: Files): boolean {
  if (images.some((image) => target.places.every((place) => !takes(place, image)))) return false;
  return written(target, images).every(({ place, own }) => {
    const path = readable(place, files);
    if (path === undefined) return false;
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(files.get(path));
    return own.every((image) => editorOf(place, target.digestPolicy).holds(text, image));
  });
}

/** What stands in the target's files for these images, as references; a file that is gone has none. */
export function standingImages(target: Target, images: readonly ImageValue[], files: Files): string[] {
  const found = target.places.flatMap((place) => {
    const path = readable(place, files);
    const own = images.filter((image) => takes(place, image));
    return path === undefined ? [] : references(place, decode(path, files.get(path)), own, path);
  });
  return [...new Set(found)];
}

/** The places that one of the images is written to, each with those. Throws `edit-not-found` for one without a place. */
function written(target: Target, images: readonly ImageValue[]): { place: Place; own: ImageValue[] }[] {
  const homeless = images.find((image) => target.places.every((place) => !takes(place, image)));
  if (homeless !== undefined) {
    throw new GitspanError("edit-not-found", `no file of ${target.id} is for ${homeless.repository}`, {
      hint: "Name the image in an entry of the target's `files`.",
    });
  }
  return target.places.flatMap((place) => {
    const own = images.filter((image) => takes(place, image));
    return own.length === 0 ? [] : [{ place, own }];
  });
}

/** Whether the image is written to the place. */
export function takes(place: Place, image: Pick<ImageValue, "repository">): boolean {
  return place.image === undefined || place.image === image.repository;
}

/** The images as workloads will name them; an image that stands nowhere for certain has none. */
export function references(place: Place, text: string, images: readonly ImageValue[], path: string): string[] {
  return images.flatMap(({ repository }) => {
    const found = editorOf(place).read(text, repository, path);
    return found === undefined || (found.tag ?? found.digest) === undefined ? [] : [writeReference(found)];
  });
}

/** The path of the place's file, if it is there. */
export function readable(place: Place, files: Files): string | undefined {
  return editorOf(place).paths.find((candidate) => files.has(candidate));
}

/** Exactly one of the names must exist: with two, kustomize itself refuses to render. */
function fileOf(place: Place, files: Files): string {
  const [path, second] = editorOf(place).paths.filter((candidate) => files.has(candidate));
  if (path === undefined) throw fileMissing(place);
  if (second === undefined) return path;
  throw new GitspanError("edit-ambiguous", `${folderOf(path)} has both ${path} and ${second}`, {
    hint: "Remove one of them: kustomize refuses a folder with two.",
    at: { file: path, line: 1, column: 1 },
  });
}

const ROOT = "the repository's root";

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ROOT;
}

function fileMissing(place: Place): GitspanError {
  if (place.format !== "kustomize") {
    return new GitspanError("git-path-missing", `there is no file ${place.file}`, {
      hint: `Create it, or correct the target's \`${place.format}\` path in the configuration.`,
    });
  }
  return new GitspanError("git-path-missing", `${place.directory || ROOT} has no kustomization file`, {
    hint: "Create the overlay, or correct the target's `kustomize` path in the configuration.",
  });
}

export function decode(path: string, bytes: Uint8Array | undefined): string {
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
