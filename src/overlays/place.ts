import { type Alias, isAlias, isMap, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import type { ValuePath } from "./change.ts";
import { aliasesOf, anchorOf, targetOf } from "./nodes.ts";
import { scalarText } from "./scalar.ts";
import { refusal, type Source } from "./source.ts";

export type YamlPair = Pair<Node, Node | null>;
export type YamlMap = YAMLMap<Node, Node | null>;

/** Something in the file, with the way to it. */
interface Spot {
  source: Source;
  document: number;
  path: ValuePath;
  /** The nodes from the top of the document down to the map or list that this is in, or that it is. */
  chain: readonly Node[];
  /** Set when an alias was followed on the way: this stands elsewhere in the file. */
  through?: Alias;
  /** The first key on the way that stands in its map a second time: nobody knows which of the two counts. */
  twice?: Node;
}

/** A map of the file in which values are set, put in and taken out. */
export interface MapPlace extends Spot {
  map: YamlMap;
}

/** One value of a map or an item of a list. */
export interface Slot extends Spot {
  node: Node | null;
  holder: YamlMap | YAMLSeq<Node>;
  pair?: YamlPair;
}

export function slotOf(place: MapPlace, pair: YamlPair): Slot {
  const { source, document, chain, through, twice, map } = place;
  const path = [...place.path, keyOf(pair)];
  return { source, document, path, chain, through, twice, node: pair.value, holder: map, pair };
}

/** The text of a key; "" for one that is no text. */
export function keyOf(pair: YamlPair): string {
  return keyText(pair.key) ?? "";
}

/** The text of a key, through an alias where it is one (`*app :`); `undefined` for a map or a list. */
export function keyText(key: Node): string | undefined {
  return scalarText(isAlias(key) ? targetOf(key) : key);
}

export function pairsNamed(map: YamlMap, key: string): YamlPair[] {
  return map.items.filter((pair) => keyText(pair.key) === key);
}

/** The value of a map's key, the first one where the key stands twice; `null` where there is none. */
export function valueAt(node: unknown, key: string): Node | null {
  return isMap<Node, Node | null>(node) ? (pairsNamed(node, key)[0]?.value ?? null) : null;
}

/** The same as text; `undefined` for what is none. */
export function textAt(node: unknown, key: string): string | undefined {
  return scalarText(valueAt(node, key));
}

/** The pair of that key, if there is one. Throws `edit-ambiguous` when the key stands there twice. */
export function onlyPair(place: Pick<MapPlace, "source" | "map">, key: string): YamlPair | undefined {
  const [first, second] = pairsNamed(place.map, key);
  if (second === undefined) return first;
  throw keyTwice(place.source, second.key);
}

export function keyTwice(source: Source, key: Node): GitspanError {
  const name = keyText(key) ?? "";
  return refusal(source, "edit-ambiguous", startOf(key), `the key "${name}" stands here a second time`, {
    hint: `Remove one of the two "${name}" lines.`,
  });
}

/**
 * Throws `edit-shared-value` when a change at the spot (or of `value` in it) would show somewhere else too. `accepted`:
 * it may, as long as the spot itself is where the value is written.
 */
export function refuseShared(spot: Spot, value: Node | null = null, accepted = false): void {
  if (spot.through !== undefined) throw shared(spot, spot.through, `*${spot.through.source} stands for it`);
  if (isAlias(value)) throw shared(spot, value, `the value is *${value.source}, which stands elsewhere`);
  const document = spot.source.documents[spot.document];
  if (document === undefined || accepted) return;
  const names = new Set([...aliasesOf(document).keys()].map((alias) => alias.source));
  for (const node of [...spot.chain, value]) {
    const anchor = anchorOf(node);
    if (node !== null && anchor !== undefined && names.has(anchor)) {
      throw shared(spot, node, `*${anchor} uses it elsewhere in the file`);
    }
  }
}

export function shared(spot: Pick<Spot, "source">, node: Node, why: string): GitspanError {
  return refusal(spot.source, "edit-shared-value", startOf(node), `the value is shared: ${why}`, {
    hint: "Write the value out where it is to change, without anchor and alias.",
  });
}

/** Where the node's own text starts; anchors and tags stand before it. */
export function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
