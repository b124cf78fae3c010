import { type Alias, type Document, isAlias, isCollection, isNode, isPair, isScalar, type Node } from "yaml";

export type YamlDocument = Document.Parsed;

export function anchorOf(node: unknown): string | undefined {
  return isScalar(node) || isCollection(node) ? node.anchor : undefined;
}

/** The explicit tag of a node; `undefined` when its type follows from how it is written. */
export function tagOf(node: unknown): string | undefined {
  return isScalar(node) || isCollection(node) ? node.tag : undefined;
}

/** Every node of a document, parents first, in the order of the text; aliases are not followed. */
function* nodesOf(node: unknown): Generator<Node> {
  if (isPair(node)) {
    yield* nodesOf(node.key);
    yield* nodesOf(node.value);
  } else if (isNode(node)) {
    yield node;
    if (isCollection(node)) for (const item of node.items) yield* nodesOf(item);
  }
}

/** The node that each alias stands for: the last one of that name before it. */
type Aliases = ReadonlyMap<Alias, Node | undefined>;

// Trees never change here, and one walk answers for all aliases: without it many aliases would cost a walk each.
const known = new WeakMap<YamlDocument, Aliases>();
const targets = new WeakMap<Alias, Node>();

/** The node that an alias of a parsed source stands for. */
export function targetOf(alias: Alias): Node | undefined {
  return targets.get(alias);
}

export function aliasesOf(document: YamlDocument): Aliases {
  const found = known.get(document);
  if (found !== undefined) return found;
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node | undefined>();
  for (const node of nodesOf(document.contents)) {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      aliases.set(node, target);
      if (target !== undefined) targets.set(node, target);
    }
    const anchor = anchorOf(node);
    if (anchor !== undefined) anchors.set(anchor, node);
  }
  known.set(document, aliases);
  return aliases;
}
