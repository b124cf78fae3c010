import { isAlias, isMap, isSeq, type Node } from "yaml";
import { sameRepository } from "./image-text.ts";
import { targetOf } from "./nodes.ts";
import { type MapPlace, onlyPair, pairsNamed, startOf, type YamlMap, type YamlPair } from "./place.ts";
import { scalarText } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";
import { valueText } from "./steps.ts";

/** One entry of a kustomization's `images`. */
export interface Entry {
  place: MapPlace;
  index: number;
  name: string | undefined;
  newName: string | undefined;
  /** The second `images` list of the document, if there is one. */
  twice: YamlPair | undefined;
}

const FILE_NAME = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/;

/** True for the names that kustomize looks for. */
export function isKustomization(file: string): boolean {
  return FILE_NAME.test(file);
}

const KINDS = new Set(["Kustomization", "Component"]);

/** The kind that a document says it has. */
export function kindOf(root: YamlMap): string | undefined {
  return scalarText(pairsNamed(root, "kind")[0]?.value);
}

/** False for a document that says that it is something else. */
export function mayBeKustomization(root: YamlMap): boolean {
  const kind = kindOf(root);
  return kind === undefined || KINDS.has(kind);
}

/** Every entry of every `images` list, in the order of the text. Documents of another kind are none of ours. */
export function imageEntries(source: Source): Entry[] {
  return source.documents.flatMap((document, index) => {
    const root = document.contents;
    if (!isMap<Node, Node | null>(root) || !mayBeKustomization(root)) return [];
    const base = { source, document: index, map: root, path: [], chain: [root] };
    const [first, twice] = pairsNamed(root, "images");
    return [first, twice].flatMap((pair) => listEntries(base, pair?.value ?? null, twice));
  });
}

function listEntries(base: MapPlace, value: Node | null, twice: YamlPair | undefined): Entry[] {
  const list = followed(value);
  if (!isSeq<Node>(list.node)) return [];
  const chain = [...base.chain, list.node];
  return list.node.items.flatMap((item, index) => {
    const entry = followed(item);
    if (!isMap<Node, Node | null>(entry.node)) return [];
    const through = list.through ?? entry.through;
    const place = { ...base, map: entry.node, path: ["images", index], chain: [...chain, entry.node], through };
    return [{ place, index, name: field(place, "name"), newName: field(place, "newName"), twice }];
  });
}

function followed(node: Node | null): { node: Node | null | undefined; through?: MapPlace["through"] } {
  return isAlias(node) ? { node: targetOf(node), through: node } : { node };
}

/** The text of a field as it stands; the first one where the key stands twice. */
export function field(place: MapPlace, key: string): string | undefined {
  const pair = pairsNamed(place.map, key)[0];
  return pair === undefined ? undefined : valueText(pair.value);
}

/** Throws `edit-ambiguous` or `edit-unsupported` when it is not certain what the entry says. */
export function refuseUncertain(entry: Entry): void {
  const { source, map } = entry.place;
  const again = entry.twice;
  if (again !== undefined) {
    throw refusal(source, "edit-ambiguous", startOf(again.key), "the list images stands here a second time", {
      hint: "Join the two lists.",
    });
  }
  for (const key of ["name", "newName", "newTag", "digest"]) onlyPair(entry.place, key);
  const merge = pairsNamed(map, "<<")[0];
  if (merge !== undefined) {
    throw refusal(source, "edit-unsupported", startOf(merge.key), "the entry takes values from elsewhere (<<)", {
      hint: "Write the values out in the image's own entry.",
    });
  }
}

/**
 * The entries that a repository names: by `name` (what manifests say), else by `newName` (what runs). Two entries of one
 * `name` are ambiguous, as is one that renames the repository away beside another that renames something to it.
 */
export function selectEntries(source: Source, entries: readonly Entry[], repository: string): Entry[] {
  // kustomize compares names as they are written; CI may say `docker.io/library/nginx` where manifests say `nginx`.
  const exact = entries.some(({ name, newName }) => name === repository || newName === repository);
  const isIt = (text: string | undefined): boolean =>
    text === repository || (!exact && text !== undefined && sameRepository(text, repository));
  const byName = entries.filter((entry) => isIt(entry.name));
  const byNewName = entries.filter((entry) => isIt(entry.newName));
  const renamedAway = byName.find((entry) => (entry.newName ?? "") !== "" && !isIt(entry.newName));
  const chosen = byName.length > 0 ? byName : byNewName;
  const rival = byNewName.find((entry) => !byName.includes(entry));
  const names = new Set<string | undefined>();
  const twice = chosen.find((entry) => names.size === names.add(entry.name).size);
  const culprit = twice ?? (renamedAway === undefined ? undefined : rival);
  if (culprit !== undefined) {
    throw refusal(source, "edit-ambiguous", startOf(culprit.place.map), `a second entry is for ${repository}`, {
      hint: "Leave one entry per image.",
    });
  }
  chosen.forEach(refuseUncertain);
  return chosen;
}
