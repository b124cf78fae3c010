import { isGitspanError } from "../model/errors.ts";
import type { DigestPolicy, FilePlace } from "../model/target.ts";
import { carryOut, joined, type Plan } from "./carry-out.ts";
import type { EditResult } from "./change.ts";
import { policySites } from "./flux-markers.ts";
import { findSites, isOfContainer, isOfResource } from "./formats.ts";
import type { ImageSite } from "./image-sites.ts";
import { type ReferenceText, writeReference } from "./image-text.ts";
import { readSite } from "./image-values.ts";
import { type ImageIntent, wantedFields } from "./intents.ts";
import { siteAt } from "./named-paths.ts";
import { startOf } from "./place.ts";
import { planSites, siteMissing } from "./plan-sites.ts";
import { parseSource, refusal, type Source } from "./source.ts";

/** Writes images into one file. All intents or none; errors as of `editKustomizeImages`. */
export function editFilePlace(
  place: FilePlace,
  text: string,
  intents: readonly ImageIntent[],
  { file = place.file, policy = "tag+digest" }: { file?: string; policy?: DigestPolicy } = {},
): EditResult {
  const source = parseSource(text, file);
  const plan = (text: Source): Plan => planFile(text, place, intents, policy);
  return carryOut(source, plan(source), plan);
}

/**
 * What stands for the repository, as workloads will name it; `undefined` when nothing does, not certainly, or not the
 * same everywhere.
 */
export function readFilePlace(
  place: FilePlace,
  text: string,
  repository: string,
  file = place.file,
): ReferenceText | undefined {
  const source = parseSource(text, file);
  try {
    const sites = sitesOf(source, place, repository);
    const [first, ...others] = sites.map((site) => readSite(site, repository));
    if (sites.some(({ at }) => at.twice !== undefined)) return undefined;
    const same = others.every((other) => first !== undefined && writeReference(other) === writeReference(first));
    return same ? first : undefined;
  } catch (error) {
    if (isGitspanError(error)) return undefined;
    throw error;
  }
}

/** True when writing the image would change nothing; false as well for a file that cannot be edited. */
export function holdsFilePlace(
  place: FilePlace,
  text: string,
  intent: ImageIntent,
  policy: DigestPolicy = "tag+digest",
): boolean {
  try {
    return planFile(parseSource(text, place.file), place, [intent], policy).steps.length === 0;
  } catch (error) {
    if (isGitspanError(error)) return false;
    throw error;
  }
}

function planFile(source: Source, place: FilePlace, intents: readonly ImageIntent[], policy: DigestPolicy): Plan {
  return joined(
    intents.map((intent) =>
      planSites(source, sitesOf(source, place, intent.repository), wantedFields(intent, policy), intent.repository),
    ),
  );
}

/** The sites of an image at a place, at least one. Throws `edit-not-found`, `edit-ambiguous`. */
function sitesOf(source: Source, place: FilePlace, repository: string): ImageSite[] {
  const { format, at, marker, resource, container } = place;
  // Helm reads the first document of a values file and no other.
  const firstOnly = format === "helm";
  if (at !== undefined) return [siteAt({ source, firstOnly, resource }, at, repository)];
  const found =
    marker === undefined
      ? findSites(source, format, repository)
      : [...source.documents.keys()].flatMap((document) => policySites(source, document, marker));
  const sites = found.filter(
    (site) =>
      (!firstOnly || site.at.document === 0) &&
      (resource === undefined || isOfResource(site.at, resource)) &&
      (container === undefined || isOfContainer(site.at, container)),
  );
  const [site, second] = sites;
  if (site === undefined) throw siteMissing(source, repository);
  // A chart gives each image one place; elsewhere an init container may well run the same one.
  if (second === undefined || !firstOnly) return sites;
  throw refusal(source, "edit-ambiguous", startOf(second.at.node), `a second place is for ${repository}`, {
    hint: "Say with `at` which one is meant, in one entry of `files` for each that is to change.",
  });
}
