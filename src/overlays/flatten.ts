import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import { anchorOf, tagOf, targetOf, type YamlDocument } from "./nodes.ts";
import { scalarText } from "./scalar.ts";

/** One node of a document, without its place in the text. */
export interface Fact {
  /** JSON of the path, so that `["0"]` and `[0]` differ. */
  path: string;
  kind: "map" | "list" | "key" | "value" | "alias";
  /** `string`, `number`, `boolean`, `null`... for keys and values. */
  type: string;
  text: string;
  anchor: string | undefined;
  tag: string | undefined;
}

/** The document as a list, in the order of the text. Duplicate keys stand as often as they are written. */
export function flatten(document: YamlDocument): Fact[] {
  const facts: Fact[] = [];
  walk(document.contents, [], "value", facts);
  return facts;
}

function walk(node: Node | null, path: readonly (string | number)[], role: "key" | "value", facts: Fact[]): void {
  const fact = (kind: Fact["kind"], type = "", text = ""): void => {
    facts.push({ path: JSON.stringify(path), kind, type, text, anchor: anchorOf(node), tag: tagOf(node) });
  };
  if (node === null) {
    fact(role, "null");
  } else if (isAlias(node)) {
    fact("alias", "", node.source);
  } else if (isMap<Node, Node | null>(node)) {
    fact("map");
    for (const { key, value } of node.items) {
      const inner = [...path, scalarText(isAlias(key) ? targetOf(key) : key) ?? "?"];
      walk(key, inner, "key", facts);
      walk(value, inner, "value", facts);
    }
  } else if (isSeq<Node>(node)) {
    fact("list");
    node.items.forEach((item, index) => walk(item, [...path, index], "value", facts));
  } else if (isScalar(node)) {
    fact(role, node.value === null ? "null" : typeof node.value, scalarText(node));
  }
}
