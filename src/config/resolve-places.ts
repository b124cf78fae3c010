import type { Place } from "../model/target.ts";
import type { KeyPath } from "./document.ts";
import type { RawConfiguration } from "./schema.ts";
import { parseDirectory } from "./values.ts";

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

function placeOf(app: Pick<RawApp, "images">, file: RawFile): Place {
  const image = file.image === undefined ? {} : { image: app.images[file.image] ?? file.image };
  if (file.kustomize !== undefined) {
    return { format: "kustomize", directory: parseDirectory(file.kustomize) ?? "", ...image };
  }
  const at = file.at === undefined ? {} : { at: file.at };
  return { format: "helm", file: parseDirectory(file.helm ?? "") ?? "", ...image, ...at };
}
