/** Where a value stands in a document: map keys and list indexes from the top. */
export type ValuePath = readonly (string | number)[];

/** One splice: the characters [start, end) of the text that went in become `text`. */
export interface Change {
  kind: "replace" | "insert" | "delete";
  /** Offsets in UTF-16 code units, as `String.slice` counts. */
  start: number;
  end: number;
  text: string;
  /** The value that moves; in a file of several documents it is meant in the one where the splice lies. */
  path: ValuePath;
  /** The value before; `undefined` when there was none. */
  old: string | undefined;
  /** The value after; `undefined` when it is taken out. */
  new: string | undefined;
}

export interface EditResult {
  text: string;
  /** In the order of the file; empty when everything stands already. */
  changes: Change[];
  /** Sentences for people about what was done as asked but may surprise. */
  warnings: string[];
}

/** The text with the splices made. They must be sorted and must not overlap; inserts at one place keep their order. */
export function splice(text: string, changes: readonly Change[]): string {
  let out = "";
  let from = 0;
  for (const change of changes) {
    out += text.slice(from, change.start) + change.text;
    from = change.end;
  }
  return out + text.slice(from);
}

/** Sorted by place; at one place an insertion comes before what is replaced or deleted there. */
export function inOrder(changes: readonly Change[]): Change[] {
  return changes.toSorted((a, b) => a.start - b.start || a.end - b.end);
}
