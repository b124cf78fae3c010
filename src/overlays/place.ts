import { type Alias, isAlias, isScalar, type Node, type Pair, type YAMLMap } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import type { ValuePath } from "./change.ts";
import { aliasesOf, anchorOf } from "./nodes.ts";
import { scalarText } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";

export type YamlPair = Pair<Node, Node | null>;
export type YamlMap = YAMLMap<Node, Node | null>;

/** A map of the file in which values are set, put in and taken out. */
export interface MapPlace {
  source: Source;
  document: number;
  map: YamlMap;
  path: ValuePath;
  /** The nodes from the top of the document down to the map. */
  chain: readonly Node[];
  /** Set when the map was reached through an alias: it stands elsewhere in the file. */
  through?: Alias;
}

export function pairsNamed(map: YamlMap, key: string): YamlPair[] {
  return map.items.filter((pair) => isScalar(pair.key) && scalarText(pair.key) === key);
}

/** The pair of that key, if there is one. Throws `edit-ambiguous` when the key stands there twice. */
export function onlyPair(place: MapPlace, key: string): YamlPair | undefined {
  const [first, second] = pairsNamed(place.map, key);
  if (second === undefined) return first;
  throw refusal(place.source, "edit-ambiguous", startOf(second.key), `the key "${key}" stands here a second time`, {
    hint: `Remove one of the two "${key}" lines.`,
  });
}

/** Throws `edit-shared-value` when a change of the map (or of `value` in it) would show somewhere else too. */
export function refuseShared(place: MapPlace, value: Node | null = null): void {
  if (place.through !== undefined) throw shared(place, place.through, `*${place.through.source} stands for it`);
  if (isAlias(value)) throw shared(place, value, `the value is *${value.source}, which stands elsewhere`);
  const document = place.source.documents[place.document];
  if (document === undefined) return;
  const names = new Set([...aliasesOf(document).keys()].map((alias) => alias.source));
  for (const node of [...place.chain, value]) {
    const anchor = anchorOf(node);
    if (node !== null && anchor !== undefined && names.has(anchor)) {
      throw shared(place, node, `*${anchor} uses it elsewhere in the file`);
    }
  }
}

function shared(place: MapPlace, node: Node, why: string): GitspanError {
  return refusal(place.source, "edit-shared-value", startOf(node), `the value is shared: ${why}`, {
    hint: "Write the value out in the image's own entry.",
  });
}

/** Where the node's own text starts; anchors and tags stand before it. */
export function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
