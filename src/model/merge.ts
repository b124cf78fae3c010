import { type Block, blocksOf, linesOf } from "./diff.ts";

/**
 * The text with what changed from `base` to `wanted` done to it; `undefined` where somebody else changed the same or an
 * adjacent line. It is what `git revert` does with base = the commit's text and wanted = its parent's
 * (git/xdiff/xmerge.c: changes that touch are a conflict, the same change on both sides is none).
 */
export function merged(base: string, text: string, wanted: string): string | undefined {
  if (base === text) return wanted;
  const lines = { base: linesOf(base), text: linesOf(text), wanted: linesOf(wanted) };
  const theirs = blocksOf(lines.base, lines.text);
  const ours = blocksOf(lines.base, lines.wanted).filter(
    (block) => !theirs.some((other) => isSame(block, lines.wanted, other, lines.text)),
  );
  if (ours.some((block) => theirs.some((other) => touches(block, other)))) return undefined;
  const all = [
    ...ours.map((block) => ({ block, from: lines.wanted })),
    ...theirs.map((block) => ({ block, from: lines.text })),
  ].sort((a, b) => a.block.from - b.block.from);
  let at = 0;
  const result: string[] = [];
  for (const { block, from } of all) {
    result.push(...lines.base.slice(at, block.from), ...from.slice(block.start, block.end));
    at = block.to;
  }
  return [...result, ...lines.base.slice(at)].join("");
}

function touches(a: Block, b: Block): boolean {
  return a.from <= b.to && b.from <= a.to;
}

function isSame(a: Block, linesOfA: readonly string[], b: Block, linesOfB: readonly string[]): boolean {
  if (a.from !== b.from || a.to !== b.to) return false;
  return linesOfA.slice(a.start, a.end).join("") === linesOfB.slice(b.start, b.end).join("");
}
