import { isScalar, Scalar } from "yaml";
import type { GitspanError } from "../model/errors.ts";
import { positionAt, refusal, type Source } from "./source.ts";
import { walk } from "./walk.ts";

/** Offsets where a text of several lines, such as an inline patch, names an image with a tag or digest. */
function mentions(source: Source, repository: string): number[] {
  const escaped = repository.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const mention = new RegExp(`(?<![\\w./-])${escaped}[:@]\\w`, "g");
  return source.documents.flatMap((_, document) =>
    walk(source, document).slots.flatMap(({ node }) => {
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
    `${repository} stands inside a text block, which is not edited yet`,
    {
      hint: "Move it into the `images` of a kustomization or into a value of its own.",
    },
  );
}

export function mentionWarning(source: Source, repository: string): string[] {
  const found = mentions(source, repository).map((offset) => positionAt(source, offset).line);
  if (found.length === 0) return [];
  const lines = `${found.length === 1 ? "line" : "lines"} ${found.join(", ")}`;
  return [`${source.file}: ${repository} also stands inside a text block (${lines}), which stays as it is`];
}
