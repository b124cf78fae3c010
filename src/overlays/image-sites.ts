import { isScalar } from "yaml";
import { isRepository } from "../model/image.ts";
import { readReference, sameRepository } from "./image-text.ts";
import { keyOf, type MapPlace, type Slot, slotOf } from "./place.ts";
import { refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";
import { walk } from "./walk.ts";

/** One place where a file says which image runs, taken apart into the values that say it. */
export interface ImageSite {
  /** The value that answers for the site in messages. */
  at: Slot;
  /** The whole reference in one value; then there is neither name, tag nor digest. */
  reference?: Slot;
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

/** Every site of an image in one document, in the order of the text. Throws `edit-ambiguous` when a site has two tags. */
export function findSites(source: Source, document: number, repository: string): ImageSite[] {
  const { maps, slots } = walk(source, document);
  const byMap = new Map<unknown, MapPlace>(maps.map((place) => [place.map, place]));
  const sites: ImageSite[] = [];
  const tags = new Set<unknown>();
  for (const slot of slots) {
    const text = isScalar(slot.node) ? slot.node.value : undefined;
    if (typeof text !== "string" || !text.includes(lastPart(repository))) continue;
    const place = slot.pair === undefined ? undefined : byMap.get(slot.holder);
    const site = referenceSite(slot, place, text, repository) ?? fieldSite(slot, place, text, repository);
    if (site === undefined) continue;
    // `name` and `repository` of one map may both say the image: it is one site.
    const own = site.tag?.pair ?? site.digest?.pair ?? site;
    if (tags.size !== tags.add(own).size) sites.push(site);
  }
  return sites;
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf("/") + 1);
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

/** The registry's value where one belongs to the name, `undefined` where none does, "no" for another image. */
function registryOf(
  place: MapPlace | undefined,
  slot: Slot,
  name: string,
  repository: string,
): Slot | undefined | "no" {
  const stem = slot.pair === undefined ? undefined : stemOf(keyOf(slot.pair), NAMING);
  const registry = place === undefined || stem === undefined ? undefined : companion(place, REGISTRY, stem);
  const prefix = registry === undefined ? "" : (valueText(registry.node) ?? "");
  const full = prefix === "" ? name : `${prefix}/${name}`;
  return sameRepository(full, repository) ? registry : "no";
}

// What a key ends with that names an image, its tag, its digest or its registry. What is before it (`web` in
// `webImageTag`) must be the same for keys that belong together.
const NAMING = /(?:image)?(?:repository|repo|name|image)$/;
const TAG = /(?:image)?tag$/;
const DIGEST = /(?:image)?digest$/;
const REGISTRY = /(?:image)?registry$/;

function stemOf(key: string, ending: RegExp): string | undefined {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, "");
  return ending.test(plain) ? plain.replace(ending, "") : undefined;
}

function companion(place: MapPlace, ending: RegExp, stem: string): Slot | undefined {
  const [pair, second] = place.map.items.filter((item) => stemOf(keyOf(item), ending) === stem);
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
