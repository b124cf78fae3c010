import { isScalar, Scalar } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import { embeddingOf } from "./embedded.ts";
import type { ImageSite } from "./image-sites.ts";
import { positionAt, refusal, type Source } from "./source.ts";
import { walk } from "./walk.ts";

/** Offsets where a text of several lines names an image with a tag or digest, but for texts that were looked into. */
function mentions(source: Source, repository: string, sites: readonly ImageSite[] = []): number[] {
  const entered = new Set(sites.map(({ at }) => embeddingOf(at.source)?.slot.node));
  const escaped = repository.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const mention = new RegExp(`(?<![\\w./-])${escaped}[:@]\\w`, "g");
  return source.documents.flatMap((_, document) =>
    walk(source, document).slots.flatMap(({ node }) => {
      if (entered.has(node)) return [];
      const isBlock = isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
      const [start, end] = isBlock ? (node.range ?? [0, 0]) : [0, 0];
      return [...source.text.slice(start, end).matchAll(mention)].map((match) => start + match.index);
    }),
  );
}

/** The refusal when an image stands nowhere but in such a text; `undefined` when it does not stand there either. */
export function onlyInText(source: Source, repository: string): GitspanError | undefined {
  const [first] = mentions(source, repository);
  if (first === undefined) return undefined;
  return refusal(
    source,
    "edit-unsupported",
    first,
    `${repository} stands inside a text block that is not looked into`,
    {
      hint: "Name the value by its path if the text is YAML, or move it into a value of its own.",
    },
  );
}

export function mentionWarning(source: Source, repository: string, sites: readonly ImageSite[]): string[] {
  const found = mentions(source, repository, sites).map((offset) => positionAt(source, offset).line);
  if (found.length === 0) return [];
  const lines = `${found.length === 1 ? "line" : "lines"} ${found.join(", ")}`;
  return [`${source.file}: ${repository} also stands inside a text block (${lines}), which stays as it is`];
}
