interface Open {
  /** Keys seen so far; undefined in a list. */
  keys: Set<string> | undefined;
  /** Where we are in it: the last key, or the index. */
  at: string | number;
}

const STRING = /"(?:[^"\\]|\\.)*"/y;

/**
 * The path of the first key that an object has twice (`images[0].tag`), or undefined. JSON leaves open which of them
 * counts (RFC 8259 section 4), so two readers of one report could see two things. `text` has to be valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  const open: Open[] = [];
  let isKey = false;
  for (let index = 0; index < text.length; index++) {
    const inner = open.at(-1);
    switch (text[index]) {
      case "{":
        open.push({ keys: new Set(), at: "" });
        isKey = true;
        break;
      case "[":
        open.push({ keys: undefined, at: 0 });
        isKey = false;
        break;
      case "}":
      case "]":
        open.pop();
        isKey = false;
        break;
      case ",":
        isKey = inner?.keys !== undefined;
        if (typeof inner?.at === "number") inner.at++;
        break;
      case '"': {
        STRING.lastIndex = index;
        const literal = STRING.exec(text)?.[0] ?? '"';
        index += literal.length - 1;
        if (!isKey || inner?.keys === undefined) break;
        // "tag" and "\u0074ag" are the same key.
        inner.at = String(JSON.parse(literal));
        if (inner.keys.has(inner.at)) return pathOf(open);
        inner.keys.add(inner.at);
        isKey = false;
        break;
      }
      default:
    }
  }
  return undefined;
}

function pathOf(open: readonly Open[]): string {
  return open.reduce((path, { at }) => {
    if (typeof at === "number") return `${path}[${at}]`;
    return path === "" ? at : `${path}.${at}`;
  }, "");
}
