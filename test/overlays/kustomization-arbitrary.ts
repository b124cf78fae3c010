import * as fc from "fast-check";

/** Generated kustomizations: every spelling that the editor meets in real files, in every combination. */

interface GeneratedEntry {
  name: string;
  newName?: string;
  newTag?: string;
  digest?: string;
}

export interface Generated {
  text: string;
  entries: GeneratedEntry[];
}

const tag = fc.oneof(
  fc.stringMatching(/^v[0-9]\.[0-9]{1,2}$/),
  fc.stringMatching(/^[0-9a-f]{7}$/),
  fc.constantFrom(
    "1.10",
    "1e3",
    "0123",
    "on",
    "null",
    "0x1F",
    "36",
    "latest",
    "2024-01-02",
    "1_0",
    "y",
    "true",
    "main-1.2",
  ),
);
const digest = fc.stringMatching(/^[0-9a-f]{4}$/).map((hex) => `sha256:${hex.repeat(16)}` as const);
const repository = fc.constantFrom("nginx", "r.io/a", "r.io/b", "quay.io:5000/team/c", "ghcr.io/o/d");

/** What a build has: a tag, a digest or both. */
export const values = fc.oneof(fc.record({ newTag: tag, digest }), fc.record({ newTag: tag }), fc.record({ digest }));

const quoting = fc.constantFrom("plain", "single", "double");
const entryShape = fc.record({
  name: repository,
  newName: fc.option(fc.constantFrom("m.io/x", "m.io/y", "m.io/z"), { nil: undefined }),
  newTag: fc.option(tag, { nil: undefined }),
  digest: fc.option(digest, { nil: undefined }),
});
const form = fc.record({
  flow: fc.boolean(),
  quoting,
  order: fc.shuffledSubarray(["name", "newName", "newTag", "digest"], { minLength: 4 }),
  comment: fc.constantFrom("", " # note", "\t# tab\t", "   "),
  gap: fc.constantFrom("", "\n", "  # between\n"),
});

const YAML_STRING = /^(?:v|main|latest|[a-z]*[.:/])/;

function scalar(value: string, style: string): string {
  if (style === "single") return `'${value}'`;
  return style === "double" || !YAML_STRING.test(value) ? `"${value}"` : value;
}

export const kustomization: fc.Arbitrary<Generated> = fc
  .record({
    entries: fc.uniqueArray(fc.tuple(entryShape, form), {
      minLength: 1,
      maxLength: 5,
      selector: ([entry]) => entry.name,
    }),
    indent: fc.constantFrom("", "  ", "    "),
    dash: fc.constantFrom("- ", "-   "),
    before: fc.constantFrom(
      "",
      "kind: Kustomization\n",
      "# head\n---\n",
      "a: &x 1\nb: *x\n",
      "x: 1\nx: 2\n",
      "%YAML 1.2\n---\n",
    ),
    after: fc.constantFrom(
      "",
      "resources: [a.yaml]\n",
      "patches:\n- patch: |-\n    image: r.io/a:v1\n\n",
      "# tail",
      "---\nkind: Other\n",
    ),
    eol: fc.constantFrom("\n", "\r\n"),
    bom: fc.boolean(),
    finalNewline: fc.boolean(),
  })
  .map(({ entries, indent, dash, before, after, eol, bom, finalNewline }) => {
    const list = entries.map(([entry, shape]) => entryText(entry, shape, indent, dash)).join("");
    const whole = `${before}images:\n${list}${after}`;
    const body = finalNewline ? whole : whole.replace(/\n+$/, "");
    return { text: (bom ? "\uFEFF" : "") + body.replaceAll("\n", eol), entries: entries.map(([entry]) => entry) };
  });

function entryText(
  entry: GeneratedEntry,
  shape: typeof form extends fc.Arbitrary<infer T> ? T : never,
  indent: string,
  dash: string,
): string {
  const pairs = shape.order.flatMap((key) => {
    const value = entry[key as keyof GeneratedEntry];
    return value === undefined ? [] : [`${key}: ${scalar(value, shape.quoting)}`];
  });
  if (shape.flow) return `${shape.gap}${indent}${dash}{${pairs.join(", ")}}${shape.comment}\n`;
  const deeper = indent + " ".repeat(dash.length);
  return `${shape.gap}${pairs.map((pair, i) => `${i === 0 ? indent + dash : deeper}${pair}${shape.comment}\n`).join("")}`;
}
