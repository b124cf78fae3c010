import { GitspanError, isGitspanError } from "../model/errors.ts";
import { parseSelector } from "../model/selector.ts";
import type { HelmPaths, HelmPlace } from "../model/target.ts";
import { carryOut, type Plan } from "./carry-out.ts";
import type { EditResult } from "./change.ts";
import { findSites, type ImageSite } from "./image-sites.ts";
import { type ReferenceText, readReference, sameRepository } from "./image-text.ts";
import { readSite } from "./image-values.ts";
import { type ImageIntent, wantedFields } from "./intents.ts";
import { type Located, locate } from "./locate.ts";
import { type Slot, startOf } from "./place.ts";
import { planSites, siteMissing } from "./plan-sites.ts";
import { parseSource, refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";

/**
 * Writes images into a Helm values file. All intents or none; errors as of `editKustomizeImages`. Helm reads only the
 * first document of a file, so only that one is looked at.
 */
export function editHelmValues(
  place: HelmPlace,
  text: string,
  intents: readonly ImageIntent[],
  file = place.file,
): EditResult {
  const source = parseSource(text, file);
  return carryOut(source, planValues(source, place, intents));
}

/** What stands for the repository, as workloads will name it; `undefined` when nothing does, or not certainly. */
export function readHelmValues(
  place: HelmPlace,
  text: string,
  repository: string,
  file = place.file,
): ReferenceText | undefined {
  const source = parseSource(text, file);
  try {
    return readSite(siteOf(source, place, repository), repository);
  } catch (error) {
    if (isGitspanError(error)) return undefined;
    throw error;
  }
}

/** True when writing the image would change nothing; false as well for a file that cannot be edited. */
export function holdsHelmValues(place: HelmPlace, text: string, intent: ImageIntent): boolean {
  try {
    return planValues(parseSource(text, place.file), place, [intent]).steps.length === 0;
  } catch (error) {
    if (isGitspanError(error)) return false;
    throw error;
  }
}

function planValues(source: Source, place: HelmPlace, intents: readonly ImageIntent[]): Plan {
  const plans = intents.map((intent) => {
    const site = siteOf(source, place, intent.repository);
    return planSites(source, [site], wantedFields(intent, "tag+digest"), intent.repository);
  });
  return { steps: plans.flatMap(({ steps }) => steps), warnings: plans.flatMap(({ warnings }) => warnings) };
}

function siteOf(source: Source, place: HelmPlace, repository: string): ImageSite {
  if (place.at !== undefined) return siteAt(source, place.at, repository);
  const [site, second] = findSites(source, 0, repository);
  if (site === undefined) throw siteMissing(source, repository);
  if (second === undefined) return site;
  throw refusal(source, "edit-ambiguous", startOf(second.at.node), `a second place is for ${repository}`, {
    hint: "Say with `at` which one is meant, in one entry of `files` for each that is to change.",
  });
}

/** The site that paths describe. What they name must be there, except the digest, whose map must. */
function siteAt(source: Source, paths: HelmPaths, repository: string): ImageSite {
  const registry = paths.registry === undefined ? undefined : present(locatePath(source, paths.registry));
  if (paths.image !== undefined) {
    const reference = present(locatePath(source, paths.image));
    const text = valueText(reference.node) ?? "";
    const site: ImageSite = { at: reference, reference, registry };
    if (text === "") return { ...site, emptyName: repository };
    refuseOther(reference, readReference(text)?.repository ?? text, registry, repository);
    return site;
  }
  const name = paths.repository === undefined ? undefined : present(locatePath(source, paths.repository));
  if (name !== undefined) refuseOther(name, valueText(name.node) ?? "", registry, repository);
  const tag = paths.tag === undefined ? undefined : present(locatePath(source, paths.tag));
  const found = paths.digest === undefined ? undefined : locatePath(source, paths.digest);
  const digestLine = found?.kind === "key-missing" ? { place: found.place, key: found.key } : undefined;
  const digest = found === undefined || digestLine !== undefined ? undefined : present(found);
  const at = tag ?? digest ?? name;
  if (at === undefined) throw siteMissing(source, repository);
  return { at, registry, name, tag, digest, digestLine };
}

function locatePath(source: Source, text: string): Located {
  const steps = parseSelector(text);
  if (steps !== undefined) return locate(source, 0, steps);
  throw new GitspanError("edit-unsupported", `"${text}" is not a path to a value`, {
    hint: 'Write it as in image.tag, containers[name=app].image or ["a.key"].tag.',
    at: { file: source.file, line: 1, column: 1 },
  });
}

function present(located: Located): Slot {
  if (located.kind === "found") return located.slot;
  throw located.error;
}

/** A path that leads to another image is a mistake in the configuration: writing there would break that image. */
function refuseOther(slot: Slot, name: string, registry: Slot | undefined, repository: string): void {
  const prefix = registry === undefined ? "" : (valueText(registry.node) ?? "");
  const full = prefix === "" ? name : `${prefix}/${name}`;
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
