import { FILE_FORMATS, type Place } from "../model/target.ts";
import type { KeyPath } from "./document.ts";
import type { RawConfiguration } from "./schema.ts";
import { parseDirectory, splitPath } from "./values.ts";

type RawApp = NonNullable<RawConfiguration["apps"]>[string];
type RawTarget = RawApp["targets"][string];
type RawFile = NonNullable<RawTarget["files"]>[number];

/** The places of a target, each with where it stands in the target's part of the configuration. */
export function placesOf(app: Pick<RawApp, "images">, target: RawTarget): { place: Place; path: KeyPath }[] {
  const { kustomize, helm, files } = target;
  if (files !== undefined) {
    return files.map((file, index) => ({ place: placeOf(app, file), path: ["files", index] }));
  }
  return kustomize === undefined
    ? [{ place: placeOf(app, { helm }), path: ["helm"] }]
    : [{ place: placeOf(app, { kustomize }), path: ["kustomize"] }];
}

function placeOf(app: Pick<RawApp, "images">, raw: RawFile): Place {
  const { kustomize, add, image, at, resource, container, marker } = raw;
  const own = image === undefined ? {} : { image: app.images[image] ?? image };
  if (kustomize !== undefined) {
    const adding = add === undefined ? {} : { add };
    return { format: "kustomize", directory: parseDirectory(kustomize) ?? "", ...own, ...adding };
  }
  const format = FILE_FORMATS.find((name) => raw[name] !== undefined) ?? "helm";
  const { file, value } = splitPath(raw[format] ?? "");
  const paths = value === undefined ? at : { value };
  return {
    format,
    file: parseDirectory(file) ?? "",
    ...own,
    ...(paths === undefined ? {} : { at: paths }),
    ...(resource === undefined ? {} : { resource }),
    ...(container === undefined ? {} : { container }),
    ...(marker === undefined ? {} : { marker }),
  };
}
