/** Lines that are shown around a change. */
const CONTEXT = 3;

/** Beyond so many differing lines the rest is shown as replaced whole: the search costs their square. */
const MAX_EDITS = 400;

/** Lines [from, to) of the old text became lines [start, end) of the new one. */
export interface Block {
  from: number;
  to: number;
  start: number;
  end: number;
}

/** What `diff -u` prints for two texts, with `a/` and `b/` before the path; "" when they are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return "";
  const [old, now] = [linesOf(before), linesOf(after)];
  const hunks = hunksOf(slidDown(blocksOf(old, now), old, now));
  return `--- a/${path}\n+++ b/${path}\n${hunks.map((hunk) => hunkText(hunk, old, now)).join("")}`;
}

/** Each with its line break, if it has one: a last line without is another line than one with. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** What changed between two texts' lines, in their order. */
export function blocksOf(old: readonly string[], now: readonly string[]): Block[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const blocks: Block[] = [];
  const middle = shortestScript(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  for (const { x, y, kind } of middle) {
    const [from, start] = [head + x, head + y];
    const last = blocks.at(-1);
    if (last === undefined || last.to !== from || last.end !== start) {
      blocks.push({ from, to: from + (kind === "delete" ? 1 : 0), start, end: start + (kind === "insert" ? 1 : 0) });
    } else if (kind === "delete") last.to++;
    else last.end++;
  }
  return blocks;
}

interface Edit {
  kind: "delete" | "insert";
  /** Position before the edit in the old and the new lines. */
  x: number;
  y: number;
}

/** E. W. Myers, An O(ND) Difference Algorithm and Its Variations (1986), the greedy form. */
function shortestScript(old: readonly string[], now: readonly string[]): Edit[] {
  const reach = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let d = 0; d <= Math.min(old.length + now.length, MAX_EDITS); d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = comesFromAbove(reach, k, d) ? at(reach, k + 1) : at(reach, k - 1) + 1;
      while (x < old.length && x - k < now.length && old[x] === now[x - k]) x++;
      reach.set(k, x);
      if (x >= old.length && x - k >= now.length) return backtrack(trace, old.length, now.length);
    }
  }
  return [
    ...old.map((_, x): Edit => ({ kind: "delete", x, y: 0 })),
    ...now.map((_, y): Edit => ({ kind: "insert", x: old.length, y })),
  ];
}

function backtrack(trace: readonly Map<number, number>[], oldLength: number, newLength: number): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [oldLength, newLength];
  for (let d = trace.length - 1; d > 0; d--) {
    const reach = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const isInsert = comesFromAbove(reach, k, d);
    const previous = isInsert ? k + 1 : k - 1;
    x = at(reach, previous);
    y = x - previous;
    edits.push({ kind: isInsert ? "insert" : "delete", x, y });
  }
  return edits.reverse();
}

function comesFromAbove(reach: ReadonlyMap<number, number>, k: number, d: number): boolean {
  return k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1));
}

function at(reach: ReadonlyMap<number, number>, k: number): number {
  return reach.get(k) ?? 0;
}

/** A pure insertion or deletion may stand in several places; like diff, the last one is shown. */
function slidDown(blocks: readonly Block[], old: readonly string[], now: readonly string[]): Block[] {
  return blocks.map((block, index) => {
    const slid = { ...block };
    const limit = blocks[index + 1]?.from ?? old.length;
    while (slid.from === slid.to && slid.to < limit && now[slid.start] === now[slid.end]) shift(slid);
    while (slid.start === slid.end && slid.to < limit && old[slid.from] === old[slid.to]) shift(slid);
    return slid;
  });
}

function shift(block: Block): void {
  block.from++;
  block.to++;
  block.start++;
  block.end++;
}

/** Changes whose context would meet are shown together. */
function hunksOf(blocks: readonly Block[]): Block[][] {
  const hunks: Block[][] = [];
  for (const block of blocks) {
    const last = hunks.at(-1)?.at(-1);
    if (last !== undefined && block.from - last.to <= 2 * CONTEXT) hunks.at(-1)?.push(block);
    else hunks.push([block]);
  }
  return hunks;
}

function hunkText(hunk: readonly Block[], old: readonly string[], now: readonly string[]): string {
  const [first, last] = [hunk[0], hunk.at(-1)];
  if (first === undefined || last === undefined) return "";
  const lead = Math.min(CONTEXT, first.from);
  const trail = Math.min(CONTEXT, old.length - last.to);
  const header = `@@ -${range(first.from - lead, last.to + trail)} +${range(first.start - lead, last.end + trail)} @@\n`;
  let from = first.from - lead;
  let body = "";
  for (const block of hunk) {
    body += marked(" ", old.slice(from, block.from));
    body += marked("-", old.slice(block.from, block.to)) + marked("+", now.slice(block.start, block.end));
    from = block.to;
  }
  return header + body + marked(" ", old.slice(from, from + trail));
}

function range(from: number, to: number): string {
  const count = to - from;
  const line = count === 0 ? from : from + 1;
  return count === 1 ? `${line}` : `${line},${count}`;
}

function marked(mark: string, lines: readonly string[]): string {
  return lines.map((line) => `${mark}${line}${line.endsWith("\n") ? "" : "\n\\ No newline at end of file\n"}`).join("");
}
