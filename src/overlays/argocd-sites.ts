import { isScalar, isSeq } from "yaml";
import { fullName, type ImageSite, type SiteFinder } from "./image-sites.ts";
import { readReference, sameRepository } from "./image-text.ts";
import { type MapPlace, pairsNamed, type Slot, slotOf, textAt } from "./place.ts";
import { scalarText } from "./scalar.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

/**
 * Items of `kustomize.images` in Argo CD's sources: `[name=]repository[:tag][@digest]`, as `kustomize edit set image`
 * takes them (argo-cd.readthedocs.io/en/stable/user-guide/kustomize).
 */
export const kustomizeStrings: SiteFinder = (source, document, repository) =>
  strings(source, document).flatMap(({ site, names }) =>
    names.some((name) => sameRepository(name, repository)) ? [site] : [],
  );

/**
 * Lists that give values by name: `helm.parameters` (`{name: image.tag, value: v1}`) and JSON6902 patches
 * (`{op: replace, path: /spec/image/tag, value: v1}`). Items belong together when their names differ in the last part.
 */
export const listedValues: SiteFinder = (source, document, repository) =>
  listedSites(source, document).flatMap(({ site, name }) => (sameRepository(name, repository) ? [site] : []));

/** The images that either of them names, as workloads will name them. */
export function argocdNamesIn(source: Source, document: number): string[] {
  return [
    ...strings(source, document).flatMap(({ names }) => names.slice(0, 1)),
    ...listedSites(source, document).map(({ name }) => name),
  ];
}

/** Each with what runs, then what manifests say. */
function strings(source: Source, document: number): { site: ImageSite; names: string[] }[] {
  return walk(source, document).slots.flatMap((slot) => {
    const [index, list, owner] = slot.path.toReversed();
    if (typeof index !== "number" || list !== "images" || owner !== "kustomize") return [];
    const text = scalarText(slot.node) ?? "";
    const name = /^([^=:@]+)=/.exec(text)?.[1];
    const prefix = name === undefined ? "" : `${name}=`;
    const found = readReference(text.slice(prefix.length));
    if (found === undefined) return [];
    const names = [found.repository, ...(name === undefined ? [] : [name])];
    return [{ site: { at: slot, reference: slot, prefix }, names }];
  });
}

function listedSites(source: Source, document: number): { site: ImageSite; name: string }[] {
  const lists = new Map<unknown, Listed[]>();
  for (const place of walk(source, document).maps) {
    const listed = listedValue(place);
    if (listed === undefined) continue;
    const own = lists.get(listed.list) ?? [];
    own.push(listed);
    lists.set(listed.list, own);
  }
  return [...lists.values()].flatMap((listed) =>
    [...Map.groupBy(listed, ({ group }) => group).values()].flatMap((group) => siteOf(group) ?? []),
  );
}

interface Listed {
  list: unknown;
  /** What the item's name has before its last part. */
  group: string;
  part: string;
  slot: Slot;
}

function listedValue(place: MapPlace): Listed | undefined {
  const list = place.chain.at(-2);
  if (!isSeq(list)) return undefined;
  const text = (key: string): string => textAt(place.map, key) ?? "";
  const isParameter = place.path.at(-2) === "parameters" && place.path.at(-3) === "helm";
  const isOperation = ["add", "replace"].includes(text("op"));
  const name = isParameter ? text("name") : isOperation ? text("path") : "";
  const [pair, second] = pairsNamed(place.map, "value");
  const cut = Math.max(name.lastIndexOf("."), name.lastIndexOf("/"));
  if (name === "" || pair === undefined || second !== undefined || !isScalar(pair.value)) return undefined;
  return { list, group: name.slice(0, cut + 1), part: name.slice(cut + 1), slot: slotOf(place, pair) };
}

function siteOf(group: readonly Listed[]): { site: ImageSite; name: string } | undefined {
  const partOf = (...parts: string[]): Slot | undefined => group.find(({ part }) => parts.includes(part))?.slot;
  const [name, registry] = [partOf("repository", "name", "image"), partOf("registry")];
  const [tag, digest] = [partOf("tag"), partOf("digest")];
  const at = tag ?? digest;
  if (name === undefined || at === undefined) return undefined;
  return { site: { at, registry, name, tag, digest }, name: fullName(registry, scalarText(name.node) ?? "") };
}

/** True for documents that may hold a source of Argo CD: of its kinds, or of none, as `.argocd-source-x.yaml` is. */
export function mayBeArgocd(source: Source, document: number): boolean {
  const kind = textAt(source.documents[document]?.contents, "kind");
  return kind === undefined || /^(?:Application|ApplicationSet)?(?:List)?$/.test(kind);
}
