import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isGitspanError } from "../../src/model/errors.ts";
import type { FilePlace } from "../../src/model/target.ts";
import { splice } from "../../src/overlays/change.ts";
import { editFilePlace, readFilePlace } from "../../src/overlays/file-editor.ts";
import type { ImageIntent } from "../../src/overlays/intents.ts";
import { type GeneratedValues, helmValues, values } from "./values-arbitrary.ts";

// FC_RUNS=100000 is the nightly depth; seeds are printed on failure.
const runs = { numRuns: Number(process.env.FC_RUNS ?? 400) };
const PLACE: FilePlace = { format: "helm", file: "values.yaml" };

/** Values that the form has a place for. */
const edits = helmValues.chain((file) =>
  fc.record({
    file: fc.constant(file),
    intents: fc
      .subarray(file.images, { minLength: 1 })
      .chain((chosen) =>
        fc.tuple(
          ...chosen.map(({ repository, form }) =>
            values
              .filter(({ newTag, digest }: Partial<ImageIntent>) =>
                form === "digest only" ? digest !== undefined : form !== "tag@digest" || newTag !== undefined,
              )
              .map((value): ImageIntent => ({ repository, ...value })),
          ),
        ),
      ),
  }),
);

type Data = Record<string, unknown> | undefined;

function dataOf(text: string): Data[] {
  return parseAllDocuments(text, { uniqueKeys: false }).map((document) => document.toJS() as Data);
}

/** What the intents mean, said without positions. */
function applied(before: Data[], { images }: GeneratedValues, intents: readonly ImageIntent[]): Data[] {
  for (const { repository, form, path } of images) {
    const intent = intents.find((one) => one.repository === repository);
    const part = path.reduce<unknown>((value, key) => Reflect.get(value as object, key), before[0]) as Record<
      string,
      string
    >;
    if (intent === undefined) continue;
    const { newTag, digest } = intent;
    if (form === "combined") part["image"] = `${repository}${newTag ? `:${newTag}` : ""}${digest ? `@${digest}` : ""}`;
    else if (form === "tag@digest") part["tag"] = digest ? `${newTag}@${digest}` : newTag!;
    else if (form === "digest only") part["digest"] = digest!;
    else {
      part[form === "flat" ? "webImageTag" : "tag"] = newTag ?? "";
      part[form === "flat" ? "webImageDigest" : "digest"] = digest ?? "";
    }
  }
  return before;
}

test("an edit of values means what its intents say and nothing else", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const { text } = editFilePlace(PLACE, file.text, intents);
      expect(dataOf(text)).toEqual(applied(dataOf(file.text), file, intents));
    }),
    runs,
  );
});

test("only the splices change, a second time changes nothing, and what was written is read", {
  timeout: 600_000,
}, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const { text, changes } = editFilePlace(PLACE, file.text, intents);
      expect(splice(file.text, changes)).toBe(text);
      expect(text.split("\n")).toHaveLength(file.text.split("\n").length);
      expect(editFilePlace(PLACE, text, intents)).toEqual({ text, changes: [], warnings: [] });
      for (const { repository, newTag, digest } of intents) {
        const form = file.images.find((image) => image.repository === repository)!.form;
        const tag = form === "digest only" ? undefined : newTag;
        expect(readFilePlace(PLACE, text, repository)).toEqual({ repository, tag, digest });
      }
    }),
    runs,
  );
});

test("the order of intents for different images does not matter", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(edits, ({ file, intents }) => {
      const together = editFilePlace(PLACE, file.text, intents).text;
      expect(editFilePlace(PLACE, file.text, intents.toReversed()).text).toBe(together);
      expect(intents.reduce((text, intent) => editFilePlace(PLACE, text, [intent]).text, file.text)).toBe(together);
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
        fc.constantFrom("", ":", "-", "\n", '"', "'", "*x", "&x ", "#", " ", "\t", "{", "]", "|", "<<: "),
        fc.nat(2),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([edit, hits]) => ({
    intents: edit.intents,
    text: hits.reduce((text, [at, put, drop]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + drop);
    }, edit.file.text),
  }));

function outcomeOf(text: string, intents: readonly ImageIntent[]): string {
  try {
    const result = editFilePlace(PLACE, text, intents);
    const exact = splice(text, result.changes) === result.text;
    return exact && editFilePlace(PLACE, result.text, intents).changes.length === 0 ? "made" : "wrong";
  } catch (error) {
    if (!isGitspanError(error)) throw error;
    return error.at?.file === PLACE.file ? error.code : `${error.code} without a place`;
  }
}

test("damaged values are edited exactly or refused with the place", { timeout: 600_000 }, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(damaged, ({ text, intents }) => {
      const outcome = outcomeOf(text, intents);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      expect(outcome).toMatch(/^(?:made|edit-(?:parse|not-found|ambiguous|shared-value|unsupported))$/);
    }),
    runs,
  );
  expect(seen.get("made")).toBeGreaterThan(runs.numRuns / 10);
  expect(seen.get("edit-parse")).toBeGreaterThan(runs.numRuns / 20);
});
