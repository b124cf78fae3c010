import * as fc from "fast-check";

/** Generated files: every way to say an image that the editors know, in many spellings, among other things. */

export const REPOSITORIES = ["r.io/a", "r.io/b/c", "quay.io:5000/team/d", "ghcr.io/o/e"] as const;
const OLD = `sha256:${"0".repeat(64)}`;

const style = fc.record({
  repository: fc.constantFrom(...REPOSITORIES),
  tag: fc.constantFrom("v1", "main-1.2", "1.10", "36", "latest", "0123", "1e3", "on", "2024-01-02"),
  pin: fc.boolean(),
  quote: fc.constantFrom("", "'", '"'),
  flow: fc.boolean(),
  comment: fc.constantFrom("", " # note", "\t# tab", "   ", " # r.io/a:v1"),
  gap: fc.constantFrom("", "\n", "# between\n", "  \n"),
});
type Style = typeof style extends fc.Arbitrary<infer T> ? T : never;

const SAFE = /^[a-z][\w./:@+-]*$/;

function scalar(text: string, { quote }: Style): string {
  const isText = SAFE.test(text) && !/^(?:on|true|null)$/.test(text);
  return quote === "" && isText ? text : `${quote || '"'}${text}${quote || '"'}`;
}

const reference = ({ repository, tag, pin }: Style): string => `${repository}:${tag}${pin ? `@${OLD}` : ""}`;

type Pairs = [key: string, value: string][];

function map(pairs: Pairs, own: Style): string {
  const lines = pairs.map(([key, value]) => `${key}: ${scalar(value, own)}`);
  return own.flow ? `{${lines.join(", ")}}${own.comment}\n` : lines.map((line) => `${line}${own.comment}\n`).join("");
}

function under(key: string, body: string): string {
  return body.startsWith("{") ? `${key}: ${body}` : `${key}:\n${indented(body, "  ")}`;
}

function item(body: string): string {
  return body.startsWith("{") ? `- ${body}` : indented(body, "  ").replace("  ", "- ");
}

function indented(text: string, by: string): string {
  return text.replaceAll(/^(?=[^\n])/gm, by);
}

function fields(own: Style): Pairs {
  return [
    ["repository", own.repository],
    ["tag", own.tag],
    ["digest", own.pin ? OLD : ""],
  ];
}

function marked(own: Style, part: string): string {
  return `${own.comment.trim() === "" ? " " : ""}# {"$imagepolicy": "ns:${own.repository.replaceAll(":", "")}${part}"}`;
}

/** One way to say the image each; without the outermost key. */
const FORMS: Record<string, (own: Style) => string> = {
  container: (own) =>
    under(
      "containers",
      item(
        map(
          [
            ["name", "c"],
            ["image", reference(own)],
          ],
          own,
        ),
      ),
    ),
  untagged: (own) =>
    under(
      "initContainers",
      item(
        map(
          [
            ["name", "c"],
            ["image", own.repository],
          ],
          own,
        ),
      ),
    ),
  nested: (own) => under("image", map(fields(own), own)),
  flat: (own) =>
    map(
      [
        ["webImage", own.repository],
        ["webImageTag", own.tag],
        ["otherTag", "x"],
      ],
      own,
    ),
  registry: (own) => {
    const slash = own.repository.indexOf("/");
    return map(
      [
        ["registry", own.repository.slice(0, slash)],
        ["repository", own.repository.slice(slash + 1)],
        ["tag", own.tag],
      ],
      own,
    );
  },
  strings: (own) =>
    under(
      "kustomize",
      under("images", `- ${scalar(`x=${reference(own)}`, { ...own, quote: own.quote || '"' })}${own.comment}\n`),
    ),
  parameters: (own) =>
    under(
      "helm",
      under(
        "parameters",
        [...fields(own)]
          .map(([name, value]) =>
            item(
              map(
                [
                  ["name", `web.image.${name}`],
                  ["value", value],
                ],
                own,
              ),
            ),
          )
          .join(""),
      ),
    ),
  values: (own) =>
    under(
      "helm",
      `values: |${own.comment.trim() === "" ? "" : own.comment}\n${indented(`# text\n${own.gap}${under("image", map(fields(own), own))}`, "    ")}`,
    ),
  quotedValues: (own) => under("helm", `values: ${JSON.stringify(under("image", map(fields(own), own)))}\n`),
  patch: (own) =>
    under("patches", `- patch: |-\n${indented(map([["image", reference(own)]], own).trimEnd(), "      ")}\n`),
  operation: (own) =>
    under(
      "patches",
      `- patch: |\n${indented(
        item(
          map(
            [
              ["op", "replace"],
              ["path", "/spec/image"],
              ["value", reference(own)],
            ],
            own,
          ),
        ),
        "    ",
      )}`,
    ),
  block: (own) => `image: ${own.flow ? ">-" : "|-"}${own.comment}\n  ${reference(own)}\n${own.gap}`,
  merge: (own) => under("patchesStrategicMerge", `- |\n${indented(map([["image", reference(own)]], own), "  ")}`),
  json: (own) => `j: ${JSON.stringify({ image: Object.fromEntries(fields(own)) })}\n`,
  anchored: (own) =>
    `x: &${own.quote === "'" ? "p" : "q"} ${scalar(reference(own), own)}\ny: *${own.quote === "'" ? "p" : "q"}\n`,
  merged: (own) =>
    `base: &base\n${indented(map(fields(own), { ...own, flow: false }), "  ")}more: {<<: *base, port: 80}\n`,
  markedWhole: (own) => `any: ${scalar(reference(own), own)} ${marked(own, "")}\n`,
  markedParts: (own) =>
    `n: ${scalar(own.repository, own)} ${marked(own, ":name")}\nt: ${scalar(own.tag, own)} ${marked(own, ":tag")}\n`,
  noise: (own) => `text: |\n  ${reference(own)}\n  more: ${own.tag}\nlist: [1, {x: y}, ~]\n${own.gap}`,
};

const entry = style.map((own) => {
  const pairs: Pairs = [
    ["name", own.repository],
    ["newTag", own.tag],
    ...(own.pin ? ([["digest", OLD]] as Pairs) : []),
  ];
  return { own, text: item(map(pairs, own)) };
});

const document = fc
  .record({
    entries: fc.option(fc.uniqueArray(entry, { maxLength: 3, minLength: 1, selector: ({ own }) => own.repository })),
    parts: fc.array(fc.tuple(fc.constantFrom(...Object.keys(FORMS)), style), { maxLength: 4 }),
    head: fc.constantFrom("", "# head\n", "kind: Kustomization\n", "kind: ApplicationSet\n", "a: 1\na: 2\n"),
  })
  .map(({ entries, parts, head }) => {
    const list = entries === null ? "" : `images:\n${entries.map(({ text }) => text).join("")}`;
    const bodies = parts.map(
      ([form, own], index) => `${own.gap}p${index}:\n${indented(FORMS[form]?.(own) ?? "", "  ")}`,
    );
    return head + list + bodies.join("") || "{}\n";
  });

/** A whole file as text. */
export const generatedFile: fc.Arbitrary<string> = fc
  .record({
    documents: fc.array(document, { minLength: 1, maxLength: 3 }),
    eol: fc.constantFrom("\n", "\r\n"),
    bom: fc.boolean(),
    finalNewline: fc.boolean(),
  })
  .map(({ documents, eol, bom, finalNewline }) => {
    const whole = documents.join("---\n");
    return (bom ? "\uFEFF" : "") + (finalNewline ? whole : whole.replace(/\n+$/, "")).replaceAll("\n", eol);
  });
