import { isMap, isSeq, type Node } from "yaml";
import { keyOf, type MapPlace, type Slot, slotOf } from "./place.ts";
import type { Source } from "./source.ts";

/** Every map and every value of one document, in the order of the text; aliases are not followed. */
export interface Walked {
  maps: MapPlace[];
  slots: Slot[];
}

// Trees never change here, and a file of many images is asked about each.
const known = new WeakMap<Source, Map<number, Walked>>();

export function walk(source: Source, document: number): Walked {
  const ofSource = known.get(source) ?? new Map<number, Walked>();
  known.set(source, ofSource);
  const found = ofSource.get(document);
  if (found !== undefined) return found;
  const walked: Walked = { maps: [], slots: [] };
  const root = source.documents[document]?.contents ?? null;
  visit({ source, document, path: [], chain: [] }, root, walked);
  ofSource.set(document, walked);
  return walked;
}

type Way = Pick<MapPlace, "source" | "document" | "path" | "chain" | "twice">;

function visit(way: Way, node: Node | null, walked: Walked): void {
  if (isMap<Node, Node | null>(node)) {
    const place = { ...way, chain: [...way.chain, node], map: node };
    walked.maps.push(place);
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const pair of node.items) if (seen.size === seen.add(keyOf(pair)).size) twice.add(keyOf(pair));
    for (const pair of node.items) {
      const own = twice.has(keyOf(pair)) ? { ...place, twice: place.twice ?? pair.key } : place;
      const slot = slotOf(own, pair);
      walked.slots.push(slot);
      visit(wayOf(slot), pair.value, walked);
    }
  } else if (isSeq<Node>(node)) {
    const chain = [...way.chain, node];
    node.items.forEach((item, index) => {
      const slot = { ...way, chain, path: [...way.path, index], node: item, holder: node };
      walked.slots.push(slot);
      visit(wayOf(slot), item, walked);
    });
  }
}

function wayOf({ source, document, path, chain, twice }: Slot): Way {
  return { source, document, path, chain, twice };
}
