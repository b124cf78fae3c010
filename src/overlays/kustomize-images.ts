import type { ImageValue } from "../model/delivery.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { DigestPolicy } from "../model/target.ts";
import { carryOut, type Plan } from "./carry-out.ts";
import type { EditResult } from "./change.ts";
import { type ImageIntent, imageIntent, type SetImageIntent, type WantedFields, wantedFields } from "./intents.ts";
import { addEntries, type NewEntry } from "./kustomize-add.ts";
import { type Entry, field, imageEntries, refuseUncertain, selectEntries } from "./kustomize-entries.ts";
import { onlyPair, startOf, type YamlPair } from "./place.ts";
import { parseSource, refusal, type Source } from "./source.ts";
import { insertValue, removeValue, type Step, setValue } from "./steps.ts";

export interface KustomizeOptions {
  /** Default `tag+digest`. */
  policy?: DigestPolicy;
  /** True when an image without an entry may get one. */
  add?: boolean;
}

/** What stands in the entry of an image; absent and empty fields are left out. */
export interface KustomizeImage {
  name?: string;
  newName?: string;
  newTag?: string;
  digest?: string;
}

const FIELDS = ["newName", "newTag", "digest"] as const;

/**
 * Writes images into the `images` list of a kustomization. All intents or none: throws `edit-parse`, `edit-not-found`,
 * `edit-ambiguous`, `edit-shared-value`, `edit-unsupported`, `edit-too-large` or `edit-unproven`, with the place.
 */
export function editKustomizeImages(
  text: string,
  intents: readonly (ImageIntent | SetImageIntent)[],
  file: string,
  options: KustomizeOptions = {},
): EditResult {
  const source = parseSource(text, file);
  const images = intents.filter((intent) => !("op" in intent));
  return carryOut(source, planKustomizeImages(source, intents, options), (result) =>
    planKustomizeImages(result, images, options),
  );
}

/** What stands for the repository now; `undefined` when nothing does, or not certainly. Throws only `edit-parse` and `edit-too-large`. */
export function readKustomizeImage(
  text: string,
  repository: string,
  file = "kustomization.yaml",
): KustomizeImage | undefined {
  const source = parseSource(text, file);
  try {
    const [first, ...others] = selectEntries(source, imageEntries(source), repository).map(imageOf);
    const same = others.every((other) => FIELDS.every((name) => other[name] === first?.[name]));
    return same ? first : undefined;
  } catch (error) {
    if (isGitspanError(error)) return undefined;
    throw error;
  }
}

function imageOf(entry: Entry): KustomizeImage {
  const image: KustomizeImage = {};
  for (const key of ["name", ...FIELDS] as const) {
    const value = field(entry.place, key);
    if (value !== undefined && value !== "") image[key] = value;
  }
  return image;
}

/** True when writing the image would change nothing; false as well for a file that cannot be edited. */
export function holdsKustomizeImage(text: string, image: ImageValue, options: KustomizeOptions = {}): boolean {
  try {
    const source = parseSource(text, "kustomization.yaml");
    return planKustomizeImages(source, [imageIntent(image)], options).steps.length === 0;
  } catch (error) {
    if (isGitspanError(error)) return false;
    throw error;
  }
}

/** The steps of all intents; errors as of `editKustomizeImages`. */
export function planKustomizeImages(
  source: Source,
  intents: readonly (ImageIntent | SetImageIntent)[],
  options: KustomizeOptions,
): Plan {
  const entries = imageEntries(source);
  const claimed = new Map<Entry["place"]["map"], string>();
  const steps: Step[] = [];
  const missing: NewEntry[] = [];
  const warnings: string[] = [];
  for (const intent of intents) {
    const isExact = "op" in intent;
    const wanted = isExact ? exactFields(intent) : wantedFields(intent, options.policy ?? "tag+digest");
    if (!isExact && options.add === true && isUnknown(source, entries, intent)) {
      missing.push({ repository: intent.repository, wanted });
      continue;
    }
    const chosen = isExact ? [exactEntry(source, entries, intent)] : imageEntriesFor(source, entries, intent, wanted);
    for (const entry of chosen) {
      const key = JSON.stringify(FIELDS.map((name) => wanted[name]));
      const earlier = claimed.get(entry.place.map);
      if (earlier === key) continue;
      if (earlier !== undefined) throw claimedTwice(source, entry);
      claimed.set(entry.place.map, key);
      const own = entrySteps(entry, wanted);
      steps.push(...own);
      if (own.length > 0)
        warnings.push(...own.flatMap((step) => step.warning ?? []), ...renameWarning(source, entry, intent));
    }
  }
  if (missing.length > 0) steps.push(addEntries(source, missing));
  return { steps, warnings };
}

function isUnknown(source: Source, entries: readonly Entry[], { repository, newName }: ImageIntent): boolean {
  return [repository, newName].every((name) => name === undefined || selectEntries(source, entries, name).length === 0);
}

function imageEntriesFor(
  source: Source,
  entries: readonly Entry[],
  intent: ImageIntent,
  wanted: WantedFields,
): Entry[] {
  const chosen = selectEntries(source, entries, intent.repository);
  if (chosen.length > 0) return chosen;
  // After a rename the entry no longer names the repository; that all of it stands already is not an error.
  const renamed = intent.newName === undefined ? [] : selectEntries(source, entries, intent.newName);
  if (renamed.length > 0 && renamed.every((entry) => entrySteps(entry, wanted).length === 0)) return renamed;
  throw notFound(source, entries, intent.repository);
}

function exactEntry(source: Source, entries: readonly Entry[], intent: SetImageIntent): Entry {
  const named = entries.filter(
    (entry) =>
      entry.name === intent.name && ((intent.newName ?? undefined) === undefined || entry.newName === intent.newName),
  );
  const chosen =
    named.length > 1 && intent.index !== undefined ? named.filter((entry) => entry.index === intent.index) : named;
  const [entry, second] = chosen;
  if (entry === undefined) throw notFound(source, entries, intent.name);
  if (second !== undefined) throw claimedTwice(source, second);
  refuseUncertain(entry);
  return entry;
}

function exactFields(intent: SetImageIntent): WantedFields {
  return Object.fromEntries(
    FIELDS.flatMap((name) => (intent.fields[name] === undefined ? [] : [[name, intent.fields[name].new]])),
  );
}

function entrySteps(entry: Entry, wanted: WantedFields): Step[] {
  const { place } = entry;
  const steps: Step[] = [];
  // Where a new line goes: behind the nearest field that stays, in the order in which people write them.
  let after: YamlPair | undefined = onlyPair(place, "name");
  let behind = "name";
  for (const name of FIELDS) {
    const pair = onlyPair(place, name);
    const want = wanted[name];
    if (want === null) {
      if (pair !== undefined && field(place, name) !== "") steps.push(removeValue(place, pair));
      else if (pair !== undefined) [after, behind] = [pair, name];
      continue;
    }
    if (pair !== undefined) {
      const step = want === undefined ? undefined : setValue(place, pair, want);
      if (step !== undefined) steps.push(step);
      [after, behind] = [pair, name];
    } else if (want !== undefined && after !== undefined) {
      steps.push(insertValue(place, name, want, after, behind));
      behind = name;
    }
  }
  return steps;
}

function renameWarning(source: Source, entry: Entry, intent: ImageIntent | SetImageIntent): string[] {
  if ("op" in intent || entry.name !== intent.repository || intent.newName !== undefined) return [];
  if (entry.newName === undefined || entry.newName === "" || entry.newName === entry.name) return [];
  return [`${source.file}: ${entry.name} runs as ${entry.newName} (newName): the values are written for that name`];
}

const MAX_LISTED = 10;

function notFound(source: Source, entries: readonly Entry[], repository: string): GitspanError {
  const names = entries.map((entry) =>
    entry.newName === undefined ? entry.name : `${entry.name} (newName ${entry.newName})`,
  );
  const listed = `${names.slice(0, MAX_LISTED).join(", ")}${names.length > MAX_LISTED ? ", ..." : ""}`;
  const hint =
    names.length === 0
      ? `Add "images:" with an entry "- name: ${repository}".`
      : `Entries there: ${listed}. Add one whose name or newName is ${repository}.`;
  return new GitspanError("edit-not-found", `${source.file}: no entry of images is for ${repository}`, {
    hint,
    at: { file: source.file, line: 1, column: 1 },
  });
}

function claimedTwice(source: Source, entry: Entry): GitspanError {
  return refusal(source, "edit-ambiguous", startOf(entry.place.map), "more than one intent or entry meets here", {
    hint: "Give every image one entry and one set of values.",
  });
}
