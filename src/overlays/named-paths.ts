import { GitspanError } from "../model/errors.ts";
import { isDigest } from "../model/image.ts";
import { parseSelector, type SelectorStep } from "../model/selector.ts";
import type { ValuePaths } from "../model/target.ts";
import { isOfResource } from "./formats.ts";
import { fullName, type ImageSite } from "./image-sites.ts";
import { readReference, sameRepository } from "./image-text.ts";
import { type Located, locate } from "./locate.ts";
import { type Slot, startOf } from "./place.ts";
import { siteMissing } from "./plan-sites.ts";
import { refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";

/** Where paths are followed. */
export interface Within {
  source: Source;
  /** The first document alone, as for Helm; else all, of which exactly one may have the path. */
  firstOnly?: boolean;
  /** Only values of this resource, as `Deployment/checkout`. */
  resource?: string;
}

/** The site that paths describe. What they name must be there, except the digest, whose map must. */
export function siteAt(within: Within, paths: ValuePaths, repository: string): ImageSite {
  if (paths.value !== undefined) return siteOfValue(present(follow(within, paths.value)), repository);
  const registry = paths.registry === undefined ? undefined : present(follow(within, paths.registry));
  if (paths.image !== undefined) {
    const reference = present(follow(within, paths.image));
    const text = valueText(reference.node) ?? "";
    const site: ImageSite = { at: reference, reference, registry };
    if (text === "") return { ...site, emptyName: repository };
    refuseOther(reference, readReference(text)?.repository ?? text, registry, repository);
    return site;
  }
  const name = paths.repository === undefined ? undefined : present(follow(within, paths.repository));
  if (name !== undefined) refuseOther(name, valueText(name.node) ?? "", registry, repository);
  const tag = paths.tag === undefined ? undefined : present(follow(within, paths.tag));
  const found = paths.digest === undefined ? undefined : follow(within, paths.digest);
  const digestLine = found?.kind === "key-missing" ? { place: found.place, key: found.key } : undefined;
  const digest = found === undefined || digestLine !== undefined ? undefined : present(found);
  const at = tag ?? digest ?? name;
  if (at === undefined) throw siteMissing(within.source, repository);
  return { at, registry, name, tag, digest, digestLine };
}

/** What stands there tells what of the image it is: the whole reference, the digest or the tag. */
function siteOfValue(at: Slot, repository: string): ImageSite {
  const text = valueText(at.node) ?? "";
  const found = readReference(text);
  if (isDigest(text)) return { at, digest: at };
  if (found === undefined || (found.tag ?? found.digest) === undefined) return { at, tag: at };
  refuseOther(at, found.repository, undefined, repository);
  return { at, reference: at };
}

/** Follows a way through the documents that may have it. Throws `edit-ambiguous` when a second one does. */
export function locateIn({ source, firstOnly, resource }: Within, steps: readonly SelectorStep[]): Located {
  const documents = firstOnly === true ? [0] : [...source.documents.keys()];
  const located = documents.map((document) => locate(source, document, steps));
  const isMeant = (one: Located): boolean =>
    one.kind !== "missing" && (resource === undefined || isOfResource(spotOf(one), resource));
  const found = located.filter((one) => one.kind === "found" && isMeant(one));
  const [best, second] = found.length > 0 ? found : located.filter(isMeant);
  if (second?.kind === "found") {
    const { slot } = second;
    throw refusal(source, "edit-ambiguous", startOf(slot.pair?.key ?? slot.node), "a second document has this path", {
      hint: `Say which is meant: by \`resource\`, or with its number, counted from 0: ${slot.document}#path.`,
    });
  }
  return best ?? located.find(({ kind }) => kind === "missing") ?? nothing(source, resource);
}

function spotOf(located: Exclude<Located, { kind: "missing" }>): Pick<Slot, "chain" | "source"> {
  return located.kind === "found" ? located.slot : located.place;
}

function nothing(source: Source, resource: string | undefined): Located {
  const what = resource === undefined ? "no document" : `no such value of ${resource}`;
  return {
    kind: "missing",
    error: new GitspanError("edit-not-found", `${source.file}: the file has ${what}`, {
      hint: "Correct the path or the resource.",
      at: { file: source.file, line: 1, column: 1 },
    }),
  };
}

function follow(within: Within, text: string): Located {
  const steps = parseSelector(text);
  if (steps !== undefined) return locateIn(within, steps);
  throw new GitspanError("edit-unsupported", `"${text}" is not a path to a value`, {
    hint: 'Write it as in image.tag, containers[name=app].image or ["a.key"].tag.',
    at: { file: within.source.file, line: 1, column: 1 },
  });
}

function present(located: Located): Slot {
  if (located.kind === "found") return located.slot;
  throw located.error;
}

/** A path that leads to another image is a mistake in the configuration: writing there would break that image. */
function refuseOther(slot: Slot, name: string, registry: Slot | undefined, repository: string): void {
  const full = fullName(registry, name);
  if (sameRepository(full, repository)) return;
  throw refusal(
    slot.source,
    "edit-not-found",
    startOf(slot.node),
    `here stands ${full || "nothing"}, not ${repository}`,
    {
      hint: "Correct the path or the repository; or leave `at.repository` out if the name is another one on purpose.",
    },
  );
}
