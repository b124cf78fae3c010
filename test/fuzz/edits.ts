import * as fc from "fast-check";
import { isDigest } from "../../src/model/image.ts";
import { EDIT_FORMATS } from "../../src/overlays/edit-file.ts";
import { readReference } from "../../src/overlays/image-text.ts";
import type { BumpIntent } from "../../src/overlays/intents.ts";
import { goldenRows } from "../overlays/golden-rows.ts";
import type { Edit } from "./check-edit.ts";
import { generatedFile, REPOSITORIES } from "./files.ts";

const NEW = `sha256:${"d".repeat(64)}` as const;
const values = fc.constantFrom<Partial<BumpIntent>>(
  { newTag: "v2" },
  { newTag: "1.20" },
  { newTag: "0x1F" },
  { newTag: "null" },
  { newTag: "v2", digest: NEW },
  { newTag: "2024-05-06", digest: NEW },
  { digest: NEW },
);

function intentsFor(repositories: readonly string[]): fc.Arbitrary<BumpIntent[]> {
  return fc
    .subarray([...repositories], { minLength: 1, maxLength: Math.min(3, repositories.length) })
    .chain((chosen) =>
      fc.tuple(...chosen.map((image) => values.map((own): BumpIntent => ({ op: "bump", image, ...own })))),
    );
}

const format = fc.oneof({ weight: 3, arbitrary: fc.constant("auto" as const) }, fc.constantFrom(...EDIT_FORMATS));
const file = fc.constantFrom("kustomization.yaml", "values.yaml");

const generated: fc.Arbitrary<Edit> = generatedFile.chain((text) => {
  const named = REPOSITORIES.filter((name) => text.includes(name));
  const intents = intentsFor(named.length === 0 ? REPOSITORIES : named);
  return fc.record({ file, text: fc.constant(text), intents, format });
});

const LONGEST = 6000;

interface Row {
  path: string;
  before?: string;
  input?: string;
}

/** Real files, with the images that they name. */
function realFiles(): { text: string; images: string[] }[] {
  const rows = ["edit-cases", "helm-values", "raw-manifests", "marker-comments", "kustomize-hard", "kustomize-refs"];
  return rows.flatMap((name) =>
    goldenRows<Row>(name).flatMap((row) => {
      const text = row.before ?? row.input ?? "";
      const images = imagesIn(text);
      return text.length > LONGEST || images.length === 0 ? [] : [{ text, images }];
    }),
  );
}

function imagesIn(text: string): string[] {
  const words = text.split(/[\s"',[\]{}#]+/).filter((word) => !isDigest(word));
  const named = words.flatMap((word) => {
    const found = readReference(word);
    return found !== undefined && ((found.tag ?? found.digest) !== undefined || word.includes("/"))
      ? [found.repository]
      : [];
  });
  return [...new Set(named)];
}

const real: fc.Arbitrary<Edit> = fc
  .constantFrom(...realFiles())
  .chain(({ text, images }) => fc.record({ file, text: fc.constant(text), intents: intentsFor(images), format }));

/** Puts, drops and repeats characters and lines. */
const hit = fc.record({
  at: fc.nat(),
  put: fc.constantFrom(
    "",
    ":",
    "-",
    "\n",
    '"',
    "'",
    "*x",
    "&x ",
    "#",
    " ",
    "\t",
    "{",
    "]",
    "|",
    ">",
    "<<: ",
    "\r",
    "!!str ",
    "? ",
    "---\n",
    "r.io/a:v9",
    "=",
    "\\",
    "é",
  ),
  drop: fc.nat(3),
  line: fc.constantFrom("keep", "keep", "keep", "repeat", "drop", "indent"),
});
type Hit = typeof hit extends fc.Arbitrary<infer T> ? T : never;

function struck(text: string, { at, put, drop, line }: Hit): string {
  const place = at % (text.length + 1);
  if (line === "keep") return text.slice(0, place) + put + text.slice(place + drop);
  const start = text.lastIndexOf("\n", place - 1) + 1;
  const end = text.indexOf("\n", place) < 0 ? text.length : text.indexOf("\n", place) + 1;
  const own = text.slice(start, end);
  const instead = line === "drop" ? "" : line === "repeat" ? own + own : ` ${own}`;
  return text.slice(0, start) + instead + text.slice(end);
}

const damaged = fc
  .tuple(fc.oneof(generated, real), fc.array(hit, { minLength: 1, maxLength: 4 }))
  .map(([edit, hits]) => ({ ...edit, text: hits.reduce(struck, edit.text) }));

/** Edits of generated, real and damaged files. */
export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(generated, real, damaged);
