import * as fc from "fast-check";
import { values } from "./kustomization-arbitrary.ts";

/** Generated Helm values: every form in which a chart takes an image, in every spelling, among other things. */

type Form = "nested" | "registry" | "flat" | "combined" | "tag@digest" | "digest only";

interface GeneratedImage {
  repository: string;
  form: Form;
  /** Where the reader finds it: a key of the top, or of a list item. */
  path: (string | number)[];
}

export interface GeneratedValues {
  text: string;
  images: GeneratedImage[];
}

export { values };

const repository = fc.constantFrom("r.io/a", "r.io/b/c", "quay.io:5000/team/d", "ghcr.io/o/e");
const FORMS = ["nested", "registry", "flat", "combined", "tag@digest", "digest only"] as const;
const OLD_DIGEST = `sha256:${"0".repeat(64)}`;

const shape = fc.record({
  repository,
  form: fc.constantFrom(...FORMS),
  tag: fc.constantFrom("v1", "main-1.2", "1.10", "36", "latest", "0123"),
  quoting: fc.constantFrom("plain", "single", "double"),
  flow: fc.boolean(),
  comment: fc.constantFrom("", " # note", "\t# tab", "   "),
  noise: fc.constantFrom(
    "",
    "port: 80\n",
    "# between\n",
    "\n\n",
    "text: |\n  r.io/a-not:v1\n  more\n",
    "list: [1, {x: y}]\n",
  ),
});

const STRING = /^(?:v|main|latest|sha256|[a-z.]+[/:])/;

function scalar(value: string, quoting: string): string {
  if (quoting === "single") return `'${value}'`;
  return quoting === "double" || !STRING.test(value) ? `"${value}"` : value;
}

type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

/** The pairs that say the image, at the level of its map. */
function pairsOf({ repository: name, form, tag, quoting }: Shape): [string, string][] {
  const slash = name.indexOf("/");
  const q = (value: string): string => scalar(value, quoting);
  switch (form) {
    case "nested":
      return [
        ["repository", q(name)],
        ["tag", q(tag)],
        ["digest", q(OLD_DIGEST)],
      ];
    case "registry":
      return [
        ["registry", q(name.slice(0, slash))],
        ["repository", q(name.slice(slash + 1))],
        ["tag", q(tag)],
        ["digest", '""'],
      ];
    case "flat":
      return [
        ["webImage", q(name)],
        ["webImageTag", q(tag)],
        ["webImageDigest", q(OLD_DIGEST)],
        ["otherTag", "x"],
      ];
    case "combined":
      return [["image", q(`${name}:${tag}`)]];
    case "tag@digest":
      return [
        ["repository", q(name)],
        ["tag", q(`${tag}@${OLD_DIGEST}`)],
      ];
    case "digest only":
      return [
        ["repository", q(name)],
        ["digest", q(OLD_DIGEST)],
      ];
  }
}

export const helmValues: fc.Arbitrary<GeneratedValues> = fc
  .record({
    shapes: fc.uniqueArray(shape, { minLength: 1, maxLength: 4, selector: (one) => one.repository }),
    indent: fc.constantFrom("  ", "    "),
    inList: fc.boolean(),
    head: fc.constantFrom("", "# head\n", "---\n", "a: &x 1\nb: *x\n", "x: 1\nx: 2\n", "%YAML 1.2\n---\n"),
    tail: fc.constantFrom("", "# tail\n", "last: true\n", "---\nimage: r.io/a:v0\n"),
    eol: fc.constantFrom("\n", "\r\n"),
    bom: fc.boolean(),
    finalNewline: fc.boolean(),
  })
  .map(({ shapes, indent, inList, head, tail, eol, bom, finalNewline }) => {
    const items = shapes.map((one, index) => {
      const lead = inList ? "- " : `${indent}part${index}:\n${indent}${indent}`;
      const deeper = inList ? "  " : `${indent}${indent}`;
      const pairs = pairsOf(one).map(([key, value]) => `${key}: ${value}`);
      const body = one.flow
        ? `{${pairs.join(", ")}}${one.comment}`
        : pairs.join(`${one.comment}\n${deeper}`) + one.comment;
      return `${lead}${body}\n`;
    });
    const noise = shapes.map(({ noise: text }, index) => text.replace(/^(?=[a-z])/, `n${index}`)).join("");
    const whole = `${head}${noise}parts:\n${items.join("")}${tail}`;
    const text = (finalNewline ? whole : whole.replace(/\n+$/, "")).replaceAll("\n", eol);
    const images = shapes.map((one, index) => ({
      repository: one.repository,
      form: one.form,
      path: ["parts", inList ? index : `part${index}`],
    }));
    return { text: (bom ? "\uFEFF" : "") + text, images };
  });
