import { isMap, isScalar, isSeq, type Node } from "yaml";
import { type ImageSite, type SiteFinder } from "./image-sites.ts";
import { readReference, sameRepository } from "./image-text.ts";
import { type MapPlace, pairsNamed, type Slot, slotOf } from "./place.ts";
import { scalarText } from "./scalar.ts";
import type { Source } from "./source.ts";
import { walk } from "./walk.ts";

/**
 * Items of `kustomize.images` in Argo CD's sources: `[name=]repository[:tag][@digest]`, as `kustomize edit set image`
 * takes them (argo-cd.readthedocs.io/en/stable/user-guide/kustomize).
 */
export const kustomizeStrings: SiteFinder = (source, document, repository) =>
  walk(source, document).slots.flatMap((slot): ImageSite[] => {
    const [index, list, owner] = slot.path.toReversed();
    if (typeof index !== "number" || list !== "images" || owner !== "kustomize") return [];
    const text = isScalar(slot.node) ? scalarText(slot.node) : undefined;
    const name = /^([^=:@]+)=/.exec(text ?? "")?.[1];
    const prefix = name === undefined ? "" : `${name}=`;
    const found = readReference((text ?? "").slice(prefix.length));
    if (found === undefined) return [];
    const isMeant =
      sameRepository(found.repository, repository) || (name !== undefined && sameRepository(name, repository));
    return isMeant ? [{ at: slot, reference: slot, prefix }] : [];
  });

/**
 * Lists that give values by name: `helm.parameters` (`{name: image.tag, value: v1}`) and JSON6902 patches
 * (`{op: replace, path: /spec/image/tag, value: v1}`). Items belong together when their names differ in the last part.
 */
export const listedValues: SiteFinder = (source, document, repository) => {
  const lists = new Map<unknown, Listed[]>();
  for (const place of walk(source, document).maps) {
    const listed = listedValue(place);
    if (listed !== undefined) lists.set(listed.list, [...(lists.get(listed.list) ?? []), listed]);
  }
  return [...lists.values()].flatMap((listed) => sitesOf(listed, repository));
};

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
  const text = (key: string): string => scalarText(pairsNamed(place.map, key)[0]?.value) ?? "";
  const isParameter = place.path.at(-2) === "parameters" && place.path.at(-3) === "helm";
  const isOperation = ["add", "replace"].includes(text("op"));
  const name = isParameter ? text("name") : isOperation ? text("path") : "";
  const [pair, second] = pairsNamed(place.map, "value");
  const cut = Math.max(name.lastIndexOf("."), name.lastIndexOf("/"));
  if (name === "" || pair === undefined || second !== undefined || !isScalar(pair.value)) return undefined;
  return { list, group: name.slice(0, cut + 1), part: name.slice(cut + 1), slot: slotOf(place, pair) };
}

function sitesOf(listed: readonly Listed[], repository: string): ImageSite[] {
  const partOf = (group: string, ...parts: string[]): Slot | undefined =>
    listed.find((one) => one.group === group && parts.includes(one.part))?.slot;
  return [...new Set(listed.map(({ group }) => group))].flatMap((group): ImageSite[] => {
    const name = partOf(group, "repository", "name", "image");
    const registry = partOf(group, "registry");
    const [tag, digest] = [partOf(group, "tag"), partOf(group, "digest")];
    const at = tag ?? digest;
    const words = [registry, name].map((slot) => scalarText(slot?.node) ?? "").filter((word) => word !== "");
    if (name === undefined || at === undefined || !sameRepository(words.join("/"), repository)) return [];
    return [{ at, registry, name, tag, digest }];
  });
}

/** True for documents that may hold a source of Argo CD: of its kinds, or of none, as `.argocd-source-x.yaml` is. */
export function mayBeArgocd(source: Source, document: number): boolean {
  const root = source.documents[document]?.contents;
  if (!isMap<Node, Node | null>(root)) return true;
  const kind = scalarText(pairsNamed(root, "kind")[0]?.value);
  return kind === undefined || /^(?:Application|ApplicationSet)?(?:List)?$/.test(kind);
}
