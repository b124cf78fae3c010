import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isGitspanError } from "../../src/model/errors.ts";
import { splice } from "../../src/overlays/change.ts";
import type { ImageIntent } from "../../src/overlays/intents.ts";
import { editKustomizeImages } from "../../src/overlays/kustomize-images.ts";
import { type Generated, kustomization, values } from "./kustomization-arbitrary.ts";

// FC_RUNS=100000 is the nightly depth; seeds are printed on failure.
const runs = { numRuns: Number(process.env.FC_RUNS ?? 400) };
const FILE = "kustomization.yaml";

/** A file and intents for some of its entries. */
const edits = kustomization.chain((file) =>
  fc.record({
    file: fc.constant(file),
    intents: fc
      .subarray(file.entries, { minLength: 1 })
      .chain((chosen) =>
        fc.tuple(
          ...chosen.map((entry) =>
            values.map((value): ImageIntent => Object.assign({ repository: entry.name }, value)),
          ),
        ),
      ),
  }),
);

interface Data {
  images?: Record<string, unknown>[];
}

/** The documents as another reader has them; the last of duplicate keys counts. */
function dataOf(text: string): Data[] {
  return parseAllDocuments(text, { uniqueKeys: false }).map((document) => document.toJS() as Data);
}

/** What the intents mean, said without positions. */
function applied(before: Data[], intents: readonly ImageIntent[]): Data[] {
  for (const image of before.flatMap((document) => document?.images ?? [])) {
    const intent = intents.find(({ repository }) => repository === image.name);
    if (intent === undefined) continue;
    for (const key of ["newTag", "digest"] as const) {
      if (intent[key] === undefined) delete image[key];
      else image[key] = intent[key];
    }
  }
  return before;
}

test("an edit means what its intents say and nothing else", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const { text } = editKustomizeImages(file.text, intents, FILE);
      expect(dataOf(text)).toEqual(applied(dataOf(file.text), intents));
    }),
    runs,
  );
});

test("only the splices change, and a second time changes nothing", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const { text, changes } = editKustomizeImages(file.text, intents, FILE);
      expect(splice(file.text, changes)).toBe(text);
      expect(text.startsWith("\uFEFF")).toBe(file.text.startsWith("\uFEFF"));
      expect(text.includes("\r")).toBe(file.text.includes("\r"));
      expect(text.endsWith("\n")).toBe(file.text.endsWith("\n"));
      expect(editKustomizeImages(text, intents, FILE)).toEqual({ text, changes: [], warnings: [] });
    }),
    runs,
  );
});

test("the order of independent intents does not matter", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const together = editKustomizeImages(file.text, intents, FILE).text;
      expect(editKustomizeImages(file.text, intents.toReversed(), FILE).text).toBe(together);
      expect(intents.reduce((text, intent) => editKustomizeImages(text, [intent], FILE).text, file.text)).toBe(
        together,
      );
    }),
    runs,
  );
});

/** The file with a few characters taken out, doubled or replaced. */
const damaged = fc
  .tuple(
    edits,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom("", ":", "-", "\n", '"', "'", "*x", "&x", "#", " ", "\t", "{", "]", "|", "<<: "),
        fc.nat(2),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([edit, hits]) => {
    const text = hits.reduce((current, [at, put, drop]) => {
      const place = at % (current.length + 1);
      return current.slice(0, place) + put + current.slice(place + drop);
    }, edit.file.text);
    return { file: { ...edit.file, text } satisfies Generated, intents: edit.intents };
  });

/** What became of an edit: made, refused with a code, or wrong. */
function outcomeOf(text: string, intents: readonly ImageIntent[]): string {
  try {
    const result = editKustomizeImages(text, intents, FILE);
    const exact = splice(text, result.changes) === result.text;
    return exact && editKustomizeImages(result.text, intents, FILE).changes.length === 0 ? "made" : "wrong";
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return error.at?.file === FILE ? error.code : `${error.code} without a place`;
  }
}

test("a damaged file is edited exactly or refused with the place", { timeout: 600_000 }, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(damaged, ({ file, intents }) => {
      const outcome = outcomeOf(file.text, intents);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      expect(outcome).toMatch(/^(?:made|edit-(?:parse|not-found|ambiguous|shared-value|unsupported))$/);
    }),
    runs,
  );
  expect(seen.get("made")).toBeGreaterThan(runs.numRuns / 10);
  expect(seen.get("edit-parse")).toBeGreaterThan(runs.numRuns / 20);
});
