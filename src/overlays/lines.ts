/** The line that holds an offset. Offsets are into the text; `next` is the start of the line after it. */
export interface Line {
  start: number;
  /** End of what is written on it: before the line break. */
  end: number;
  next: number;
  /** The line break it ends with; "" at the end of the file. */
  eol: string;
}

export function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const feed = text.indexOf("\n", offset);
  if (feed < 0) return { start, end: text.length, next: text.length, eol: "" };
  const end = feed > start && text[feed - 1] === "\r" ? feed - 1 : feed;
  return { start, end, next: feed + 1, eol: text.slice(end, feed + 1) };
}

/** The line break to write behind the line: its own, or that of the line before it at the end of the file. */
export function eolFor(text: string, line: Line): string {
  if (line.eol !== "") return line.eol;
  return line.start === 0 ? "\n" : lineAt(text, line.start - 1).eol;
}

/** What stands on the line before a key: nothing but spaces, a list's dash, or something else. */
export function leadOf(text: string, keyStart: number): { kind: "blank" | "dash" | "other"; width: number } {
  const lead = text.slice(lineAt(text, keyStart).start, keyStart).replace(/^\uFEFF/, "");
  const kind = /^ *$/.test(lead) ? "blank" : /^ *(?:- +)+$/.test(lead) ? "dash" : "other";
  return { kind, width: lead.length };
}
