import { isMap, isSeq, type Node } from "yaml";
import { isGitspanError } from "../model/errors.ts";
import { formatSelector } from "../model/selector.ts";
import type { Place, ValuePaths } from "../model/target.ts";
import { argocdNamesIn } from "./argocd-sites.ts";
import { sourcesIn } from "./embedded.ts";
import { findSites } from "./formats.ts";
import { type ImageSite, namesIn } from "./image-sites.ts";
import { type ReferenceText, sameRepository, writeReference } from "./image-text.ts";
import { readSite } from "./image-values.ts";
import { field, imageEntries, isKustomization, kindOf } from "./kustomize-entries.ts";
import { folderOf, type Lead, leadsFrom, treeOf } from "./leads.ts";
import { type Slot, startOf } from "./place.ts";
import { parseSource, positionAt, type Source } from "./source.ts";

/** A place where an image is written, as the configuration would name it. */
export interface DiscoveredPlace {
  /** The image as workloads name it. */
  image: string;
  /** What stands there, `repository[:tag][@digest]`. */
  reference: string;
  place: Place;
  file: string;
  line: number;
}

export interface Discovery {
  places: DiscoveredPlace[];
  leads: Lead[];
  /** Files that could not be read, with the reason: templates, say. */
  unread: { file: string; reason: string }[];
}

/**
 * Every place of a tree where an image is written, or one certain image, and what leads to which file. Files are by path
 * from the root; templates and what is no YAML are listed as unread.
 */
export function discover(files: ReadonlyMap<string, string>, image?: string): Discovery {
  const discovery: Discovery = { places: [], leads: [], unread: [] };
  const tree = treeOf([...files.keys()]);
  const sources = [...files].flatMap(([file, text]) =>
    isWorthReading(file, text, image) ? readable(discovery, file, () => [parseSource(text, file)]) : [],
  );
  for (const source of sources) discovery.leads.push(...leadsFrom(source, tree));
  const patches = new Set(discovery.leads.flatMap(({ as, to }) => (as === "patch" ? [to] : [])));
  for (const source of sources)
    discovery.places.push(...readable(discovery, source.file, () => placesIn(source, patches, image)));
  return discovery;
}

const MAX_WAYS = 100;

/** The ways to a file from where nothing leads on, nearest first, 100 at most; ways that run in a circle end there. */
export function waysTo(leads: readonly Lead[], file: string): Lead[][] {
  const done: Lead[][] = [];
  const open: { file: string; way: Lead[] }[] = [{ file, way: [] }];
  for (let next = open.shift(); next !== undefined && done.length < MAX_WAYS; next = open.shift()) {
    const { file: here, way } = next;
    const before = leads.filter((lead) => lead.to === here && !way.includes(lead));
    if (before.length === 0 && way.length > 0) done.push(way);
    // Shared parts multiply: what is beyond is not followed.
    for (const lead of before.slice(0, Math.max(0, 10 * MAX_WAYS - open.length)))
      open.push({ file: lead.from.replace(/#.*$/, ""), way: [...way, lead] });
  }
  return done;
}

/** Parsing is what costs: a file that neither names the image nor leads anywhere is not parsed. */
function isWorthReading(file: string, text: string, image: string | undefined): boolean {
  if (image === undefined || isKustomization(file) || text.includes("Application")) return true;
  return text.includes(image.slice(image.lastIndexOf("/") + 1));
}

function readable<T>(discovery: Discovery, file: string, read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    discovery.unread.push({ file, reason: error.message });
    return [];
  }
}

function placesIn(source: Source, patches: ReadonlySet<string>, image: string | undefined): DiscoveredPlace[] {
  const listed = isKustomization(source.file) ? listedPlaces(source) : [];
  const entries = new Set<unknown>(imageEntries(source).map(({ place }) => place.map));
  const names = sourcesIn(source).flatMap((one) =>
    one.documents.flatMap((_, document) => [...namesIn(one, document), ...argocdNamesIn(one, document)]),
  );
  const wanted = image === undefined ? new Set(names) : new Set([image]);
  const found = [...wanted].flatMap((name) => {
    const sites = findSites(source, "auto", name).filter(
      ({ at }) => !isKustomization(source.file) || !entries.has(at.holder),
    );
    return sites.map((site) => placeOf(source, patches, site, sites.length, name));
  });
  const all = [...listed, ...found].filter((one) => image === undefined || sameRepository(one.image, image));
  // Several places of one form are one entry of the configuration, at the first of them.
  return [
    ...new Map(all.toReversed().map((one) => [JSON.stringify([one.image, one.place]), one])).values(),
  ].toReversed();
}

function listedPlaces(source: Source): DiscoveredPlace[] {
  const directory = folderOf(source.file);
  return imageEntries(source).flatMap(({ place, name, newName }) => {
    const image = newName ?? name;
    if (image === undefined) return [];
    const values = { tag: field(place, "newTag"), digest: field(place, "digest") };
    return [
      discovered(source, startOf(place.map), { format: "kustomize", directory }, { repository: image, ...values }),
    ];
  });
}

function placeOf(
  source: Source,
  patches: ReadonlySet<string>,
  site: ImageSite,
  count: number,
  name: string,
): DiscoveredPlace {
  const { at } = site;
  const place = { ...formOf(source, patches, site, count), file: source.file };
  const offset = at.source.host === undefined ? startOf(at.node) : at.source.host.outward(startOf(at.node));
  return discovered(source, offset, place, readSite(site, name));
}

function formOf(source: Source, patches: ReadonlySet<string>, site: ImageSite, count: number) {
  const root = source.documents[site.at.source === source ? site.at.document : 0]?.contents ?? null;
  const kind = isMap<Node, Node | null>(root) ? kindOf(root) : undefined;
  if (/(?:^|\/)\.argocd-source-/.test(source.file) || /^Application(?:Set)?$/.test(kind ?? ""))
    return { format: "argocd" } as const;
  const isPatch =
    isKustomization(source.file) || patches.has(source.file) || (isSeq(root) && site.at.path.at(-1) === "value");
  if (isPatch) return { format: "patch" } as const;
  if (source.json) return { format: "json" } as const;
  if (kind !== undefined) return { format: "raw" } as const;
  const isValues = kind === undefined && site.at.document === 0 && site.at.source === source;
  if (isValues && count === 1) return { format: "helm" } as const;
  return { format: isValues ? "helm" : "yaml", at: pathsOf(site) } as const;
}

function pathsOf({ reference, name, tag, digest }: ImageSite): ValuePaths {
  const path = (slot: Slot): string => formatSelector(slot.path);
  if (reference !== undefined) return { image: path(reference) };
  return {
    ...(name === undefined ? {} : { repository: path(name) }),
    ...(tag === undefined ? {} : { tag: path(tag) }),
    ...(digest === undefined ? {} : { digest: path(digest) }),
  };
}

function discovered(source: Source, offset: number, place: Place, values: ReferenceText): DiscoveredPlace {
  return {
    image: values.repository,
    reference: writeReference(values),
    place,
    file: source.file,
    line: positionAt({ text: source.text, file: source.file }, offset).line,
  };
}
