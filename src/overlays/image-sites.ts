import { isScalar } from "yaml";
import { isRepository } from "../model/image.ts";
import { readReference, sameRepository } from "./image-text.ts";
import { keyOf, type MapPlace, type Slot, slotOf, startOf, type YamlMap, type YamlPair } from "./place.ts";
import { refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";
import { walk } from "./walk.ts";

/** One place where a file says which image runs, taken apart into the values that say it. */
export interface ImageSite {
  /** The value that answers for the site in messages. */
  at: Slot;
  /** The whole reference in one value; then there is neither name, tag nor digest. */
  reference?: Slot;
  /** Stands before the reference in its value: `nginx=` in `nginx=mirror.io/nginx:1.2`. */
  prefix?: string;
  /** The name to write where the whole reference is still empty. */
  emptyName?: string;
  /** Stands before the name: `ghcr.io` where the name is `org/app`. */
  registry?: Slot;
  name?: Slot;
  tag?: Slot;
  digest?: Slot;
  /** Where a digest goes that has no line yet, if it is known that it is read there. */
  digestLine?: { place: MapPlace; key: string };
}

/** The sites of an image in one document, in the order of the text. */
export type SiteFinder = (source: Source, document: number, repository: string) => ImageSite[];

/** Values that are a whole reference, whatever their keys are. */
export const referenceSites: SiteFinder = (source, document, repository) =>
  mentioning(source, document, repository).flatMap(
    ({ slot, place, text }) => referenceSite(slot, place, text, repository) ?? [],
  );

/** Maps that name the image with a tag or digest beside it. Throws `edit-ambiguous` when one has two tags. */
export const fieldSites: SiteFinder = (source, document, repository) =>
  mentioning(source, document, repository).flatMap(
    ({ slot, place, text }) => fieldSite(slot, place, text, repository) ?? [],
  );

/**
 * The `image` of containers that is the name alone. Nowhere else: a chart may have the tag in another file, and Flux's
 * ImageRepository means the name.
 */
export const untaggedImages: SiteFinder = (source, document, repository) =>
  mentioning(source, document, repository).flatMap(({ slot, place, text }) => {
    if (place === undefined || !isUntagged(slot) || !isRepository(text)) return [];
    if (fieldSite(slot, place, text, repository) !== undefined || !sameRepository(text, repository)) return [];
    return [{ at: slot, reference: slot }];
  });

function isUntagged({ path }: Slot): boolean {
  return path.at(-1) === "image" && /containers$/i.test(String(path.at(-3)));
}

/** Beyond that every place would have to be compared with every other one. */
const MAX_SITES = 1000;

/**
 * What any of the finders sees, once each: `name` and `repository` of one map may both say the image, and a marker may
 * stand beside either. Throws `edit-too-large` beyond 1000.
 */
export function uniqueSites(sites: readonly ImageSite[]): ImageSite[] {
  const owners = new Set<unknown>();
  const unique = sites.filter((site) => {
    const own = site.reference ?? site.tag ?? site.digest ?? site.at;
    return owners.size !== owners.add(own.pair ?? own.node).size;
  });
  const beyond = unique[MAX_SITES];
  if (beyond === undefined) return unique;
  throw refusal(beyond.at.source, "edit-too-large", startOf(beyond.at.node), `more than ${MAX_SITES} places`, {
    hint: "Split the file.",
  });
}

interface Mention {
  slot: Slot;
  /** The map that the value is in. */
  place: MapPlace | undefined;
  text: string;
}

/** The texts that may name the image. */
function mentioning(source: Source, document: number, repository: string): Mention[] {
  const { maps, slots } = walk(source, document);
  const last = repository.slice(repository.lastIndexOf("/") + 1);
  const byMap = new Map<unknown, MapPlace>(maps.map((place) => [place.map, place]));
  return slots.flatMap((slot) => {
    const text = isScalar(slot.node) ? slot.node.value : undefined;
    if (typeof text !== "string" || !text.includes(last)) return [];
    return [{ slot, place: slot.pair === undefined ? undefined : byMap.get(slot.holder), text }];
  });
}

function referenceSite(
  slot: Slot,
  place: MapPlace | undefined,
  text: string,
  repository: string,
): ImageSite | undefined {
  const found = readReference(text);
  if (found === undefined || (found.tag ?? found.digest) === undefined) return undefined;
  const registry = registryOf(place, slot, found.repository, repository);
  return registry === "no" ? undefined : { at: slot, reference: slot, registry };
}

function fieldSite(slot: Slot, place: MapPlace | undefined, text: string, repository: string): ImageSite | undefined {
  if (place === undefined || slot.pair === undefined || !isRepository(text)) return undefined;
  const stem = stemOf(keyOf(slot.pair), NAMING);
  if (stem === undefined) return undefined;
  const registry = registryOf(place, slot, text, repository);
  if (registry === "no") return undefined;
  const tag = companion(place, TAG, stem);
  const digest = companion(place, DIGEST, stem);
  return tag === undefined && digest === undefined ? undefined : { at: slot, registry, name: slot, tag, digest };
}

/** The images that a document names in any of these ways, as workloads will name them. */
export function namesIn(source: Source, document: number): string[] {
  return mentioning(source, document, "").flatMap(({ slot, place, text }) => {
    const found = readReference(text);
    const key = slot.pair === undefined ? "" : keyOf(slot.pair);
    if (found === undefined) return [];
    const name = fullName(registryBeside(place, slot), found.repository);
    const isWhole = (found.tag ?? found.digest) !== undefined && (name.includes("/") || /image$/i.test(key));
    const isField = place !== undefined && fieldSite(slot, place, text, name) !== undefined;
    return isWhole || isField || isUntagged(slot) ? [name] : [];
  });
}

/** The registry's value where one belongs to the name, `undefined` where none does, "no" for another image. */
function registryOf(
  place: MapPlace | undefined,
  slot: Slot,
  name: string,
  repository: string,
): Slot | undefined | "no" {
  const registry = registryBeside(place, slot);
  return sameRepository(fullName(registry, name), repository) ? registry : "no";
}

function registryBeside(place: MapPlace | undefined, slot: Slot): Slot | undefined {
  const stem = slot.pair === undefined ? undefined : stemOf(keyOf(slot.pair), NAMING);
  return place === undefined || stem === undefined ? undefined : companion(place, REGISTRY, stem);
}

/** `name` with what the registry's value says before it. */
export function fullName(registry: Slot | undefined, name: string): string {
  const prefix = registry === undefined ? "" : (valueText(registry.node) ?? "");
  return prefix === "" ? name : `${prefix}/${name}`;
}

// What a key ends with that names an image, its tag, its digest or its registry. What is before it (`web` in
// `webImageTag`) must be the same for keys that belong together.
const NAMING = /(?:image)?(?:repository|repo|name|image)$/;
const TAG = /(?:image)?tag$/;
const DIGEST = /(?:image)?digest$/;
const REGISTRY = /(?:image)?registry$/;

/** What is before the ending of a key; `undefined` when it does not end so. */
function stemOf(key: string, ending: RegExp): string | undefined {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, "");
  return ending.test(plain) ? plain.replace(ending, "") : undefined;
}

// A map of many images is asked about each, and trees never change here.
const stems = new WeakMap<YamlMap, Map<RegExp, Map<string, YamlPair[]>>>();

function pairsOf(map: YamlMap, ending: RegExp, stem: string): YamlPair[] {
  const ofMap = stems.get(map) ?? new Map<RegExp, Map<string, YamlPair[]>>();
  stems.set(map, ofMap);
  let ofEnding = ofMap.get(ending);
  if (ofEnding === undefined) {
    ofEnding = new Map();
    ofMap.set(ending, ofEnding);
    for (const pair of map.items) {
      const own = stemOf(keyOf(pair), ending);
      if (own !== undefined) ofEnding.set(own, [...(ofEnding.get(own) ?? []), pair]);
    }
  }
  return ofEnding.get(stem) ?? [];
}

function companion(place: MapPlace, ending: RegExp, stem: string): Slot | undefined {
  const [pair, second] = pairsOf(place.map, ending, stem);
  if (pair === undefined) return undefined;
  const slot = slotOf(place, pair);
  if (second === undefined) return slot;
  throw refusal(
    place.source,
    "edit-ambiguous",
    second.key.range?.[0] ?? 0,
    "a second key could be the one that counts",
    {
      hint: `Keep one of "${keyOf(pair)}" and "${keyOf(second)}", or say which by its path.`,
    },
  );
}
