import { GitspanError } from "../model/errors.ts";
import { type Change, splice, type ValuePath } from "./change.ts";
import { type Fact, flatten } from "./flatten.ts";
import { parseSource, type Source } from "./source.ts";

/** What an edit means to do to one value of a document; nothing else may differ afterwards. */
export interface Expectation {
  document: number;
  path: ValuePath;
  /** The key that a new value stands behind. */
  insertAfter?: string;
  /** `undefined`: the value and its key are gone. */
  value: string | undefined;
  /** New nodes of a list, in order, where no value stood: they follow what stands in it, or end the document. */
  added?: readonly Fact[];
  /** True where a plain value keeps its author's style although some reader takes it for a number or a date. */
  anyType?: boolean;
  /** True where aliases of the value, or of what holds it, may show the change too. */
  shared?: boolean;
}

/**
 * Shows that `after` is `before` with exactly what was expected: its bytes are those of `before` outside the splices,
 * it parses, and the documents differ only at the expected paths, where strings stand. Throws `edit-unproven` otherwise:
 * that is a fault of the editor, and nothing may be written. Returns the result as it was read again.
 */
export function prove(
  before: Source,
  after: string,
  changes: readonly Change[],
  expected: readonly Expectation[],
): Source {
  if (splice(before.text, changes) !== after) throw unproven(before.file, "bytes outside the splices differ");
  let from = 0;
  for (const change of changes) {
    if (change.start < from || change.end < change.start) throw unproven(before.file, "splices overlap");
    from = change.end;
  }
  const reread = reparse(after, before.file);
  if (before.json && !reread.json) throw unproven(before.file, "the result is not valid JSON");
  if (reread.documents.length !== before.documents.length)
    throw unproven(before.file, "the number of documents differs");
  before.documents.forEach((document, index) => {
    const facts = flatten(document);
    const own = expected.filter((expectation) => expectation.document === index);
    refuseShared(before.file, facts, own);
    const wanted = apply(facts, own);
    const found = reread.documents[index];
    compare(before.file, wanted, found === undefined ? [] : flatten(found));
  });
  return reread;
}

function reparse(after: string, file: string): Source {
  try {
    return parseSource(after, file);
  } catch (cause) {
    throw unproven(file, "the result is not valid YAML", cause);
  }
}

/** An alias of a changed value, or of what holds it, would change along: that is a difference at another path. */
function refuseShared(file: string, facts: readonly Fact[], expected: readonly Expectation[]): void {
  const aliases = new Set(facts.filter((fact) => fact.kind === "alias").map((fact) => fact.text));
  const touched = new Set(
    expected.flatMap(({ path, shared }) =>
      shared === true ? [] : [...path, ""].map((_, end) => JSON.stringify(path.slice(0, end))),
    ),
  );
  const shared = facts.find(({ path, anchor }) => anchor !== undefined && aliases.has(anchor) && touched.has(path));
  if (shared !== undefined) throw unproven(file, `an alias shows the change of ${shared.path} elsewhere`);
}

interface Wanted extends Fact {
  anyType?: boolean;
}

function apply(facts: readonly Fact[], expected: readonly Expectation[]): Wanted[] {
  let wanted: Wanted[] = [...facts];
  for (const { path, insertAfter, value, anyType, added } of expected) {
    const key = JSON.stringify(path);
    if (added !== undefined) {
      const inside = JSON.stringify(path.slice(0, 1)).slice(0, -1);
      const last = wanted.findLastIndex((fact) => fact.path.startsWith(inside));
      wanted.splice(last < 0 ? wanted.length : last + 1, 0, ...added);
    } else if (value === undefined) {
      wanted = wanted.filter((fact) => fact.path !== key);
    } else if (insertAfter === undefined) {
      wanted = wanted.map((fact) =>
        fact.path === key && fact.kind === "value" ? { ...fact, type: "string", text: value, anyType } : fact,
      );
    } else {
      const sibling = JSON.stringify([...path.slice(0, -1), insertAfter]);
      const at = wanted.findLastIndex((fact) => fact.path === sibling) + 1;
      const blank = { path: key, type: "string", anchor: undefined, tag: undefined };
      wanted.splice(
        at,
        0,
        { ...blank, kind: "key", text: String(path.at(-1)) },
        { ...blank, kind: "value", text: value },
      );
    }
  }
  return wanted;
}

function compare(file: string, wanted: readonly Wanted[], found: readonly Fact[]): void {
  if (wanted.length !== found.length) throw unproven(file, "the result has other nodes than expected");
  wanted.forEach((want, index) => {
    const have = found[index];
    const sameType = want.type === have?.type || want.anyType === true;
    const same =
      sameType &&
      want.path === have?.path &&
      want.kind === have.kind &&
      want.text === have.text &&
      want.anchor === have.anchor &&
      want.tag === have.tag;
    if (!same) throw unproven(file, `the result differs at ${want.path}`);
  });
}

function unproven(file: string, what: string, cause?: unknown): GitspanError {
  return new GitspanError("edit-unproven", `${file}: the edit could not be proven: ${what}`, {
    hint: "Nothing was written. Edit the file by hand and report the file as a defect.",
    cause,
  });
}
