import { repositoryKey } from "../model/repository-url.ts";
import { formatSelector, parseSelector } from "../model/selector.ts";
import type { Place, ValuePaths } from "../model/target.ts";
import type { KeyPath } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import { placesOf } from "./resolve-places.ts";
import { resolveTargets } from "./resolve-targets.ts";
import type { RawConfiguration } from "./schema.ts";

type RawApp = NonNullable<RawConfiguration["apps"]>[string];
type RawTarget = RawApp["targets"][string];

export type Report = (path: KeyPath, message: string, hint?: string) => void;

/** Every image of the app must have a place, and every place must be clear about its image. */
export function checkFiles(path: KeyPath, app: RawApp, target: RawTarget, report: Report): void {
  const names = Object.keys(app.images);
  target.files?.forEach((file, index) => {
    const own = [...path, "files", index];
    if (file.image !== undefined && !names.includes(file.image)) {
      report([...own, "image"], `the app has no image "${file.image}"`, didYouMean(file.image, names));
    }
    if (file.at !== undefined && file.image === undefined && names.length > 1) {
      report(own, "must say which image stands at these paths", `image: ${names.join(" or ")}`);
    }
  });
  const places = placesOf(app, target);
  for (const [name, repository] of Object.entries(app.images)) {
    if (places.every(({ place }) => place.image !== undefined && place.image !== repository)) {
      report([...path, "files"], `no entry is for the image "${name}"`, "add one, or make two apps of this one");
    }
  }
}

interface Claim {
  target: string;
  place: Place;
}

/** Two that write one image at one place would undo each other. */
export function checkPlaces(raw: RawConfiguration, report: Report): void {
  const claims = new Map<string, Claim[]>();
  for (const target of resolveTargets(raw, new Map())) {
    const url = raw.repositories[target.repository]?.url ?? "";
    const app = raw.apps?.[target.app];
    const rawTarget = app?.targets[target.environment];
    if (app === undefined || rawTarget === undefined) continue;
    for (const { place, path } of placesOf(app, rawTarget)) {
      const images = target.images.filter(({ repository }) => (place.image ?? repository) === repository);
      for (const image of images) {
        const key = JSON.stringify([repositoryKey(url), target.branch, fileOf(place), image.repository]);
        const others = claims.get(key) ?? [];
        claims.set(key, [...others, { target: target.id, place }]);
        const owner = others.find((other) => overlap(other.place, place));
        if (owner === undefined) continue;
        const hint =
          place.format === "kustomize" ? "give each target a folder of its own" : "give each a path of its own with at";
        const who = owner.target === target.id ? "another entry" : owner.target;
        report(
          ["apps", target.app, "targets", target.environment, ...path],
          `${who} already writes ${image.repository} there`,
          hint,
        );
      }
    }
  }
}

function fileOf(place: Place): string {
  return place.format === "kustomize" ? `${place.directory}/` : place.file;
}

/** Without paths an image may be found anywhere in the file, or in the resource or container that is named. */
function overlap(a: Place, b: Place): boolean {
  if (a.format === "kustomize" || b.format === "kustomize") return true;
  const apart = (["resource", "container", "marker"] as const).some(
    (key) => a[key] !== undefined && b[key] !== undefined && a[key] !== b[key],
  );
  if (apart) return false;
  if (a.at === undefined || b.at === undefined) return true;
  const taken = new Set(writtenPaths(a.at));
  return writtenPaths(b.at).some((path) => taken.has(path));
}

function writtenPaths(at: ValuePaths): string[] {
  return [at.value, at.image, at.tag, at.digest].flatMap((text) =>
    text === undefined ? [] : [formatSelector(parseSelector(text) ?? [text])],
  );
}
