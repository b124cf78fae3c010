import { Composer, CST, Parser } from "yaml";
import { type ErrorCode, GitspanError, type SourcePosition } from "../model/errors.ts";
import { aliasesOf, type YamlDocument } from "./nodes.ts";

/** Files come from repositories that others write: these limits keep a hostile one from costing more than a refusal. */
const MAX_CHARACTERS = 1024 * 1024;
const MAX_DEPTH = 100;
const MAX_ALIASES = 1000;
const MAX_DOCUMENTS = 2000;

/** A parsed file: the text is the truth, the trees only say where things stand in it. */
export interface Source {
  text: string;
  file: string;
  documents: YamlDocument[];
  /** What is written into JSON must be JSON too. */
  json: boolean;
  /** Set for a text that is a value of another file. */
  host?: Host;
}

/** Where a text lies in the file that people see. */
interface Host {
  source: Source;
  /** The place in the host's text of a place in this one. */
  outward(offset: number): number;
}

type Positioned = Pick<Source, "text" | "file" | "host">;

/**
 * Parses a YAML stream. Duplicate keys are allowed here (they occur in real files); who edits must check that the path
 * it takes is unambiguous. Throws `edit-too-large` beyond the limits and `edit-parse` for what is not YAML.
 */
export function parseSource(text: string, file: string, host?: Host): Source {
  if (text.length > MAX_CHARACTERS) {
    throw new GitspanError("edit-too-large", `${file} has more than ${MAX_CHARACTERS} characters`, {
      hint: "Move the images into a smaller file of their own.",
      at: { file, line: 1, column: 1 },
    });
  }
  const stray = text.search(/\r(?!\n)/);
  if (stray >= 0) {
    // YAML 1.2 section 5.4 has it end a line; the parser here and many others do not.
    throw refusal({ text, file, host }, "edit-parse", stray, "a carriage return without a line feed", {
      hint: "Readers disagree whether it ends a line: end lines by LF or CRLF.",
    });
  }
  const tokens = [...new Parser().parse(text)];
  checkDepth({ text, file, host }, tokens);
  const options = { uniqueKeys: false, keepSourceTokens: true, prettyErrors: false, logLevel: "error" } as const;
  const documents = [...new Composer(options).compose(tokens)];
  if (documents.length > MAX_DOCUMENTS) {
    throw new GitspanError("edit-too-large", `${file} has more than ${MAX_DOCUMENTS} documents`, {
      hint: "Split the file.",
      at: { file, line: 1, column: 1 },
    });
  }
  for (const document of documents) {
    const error = document.errors[0];
    if (error !== undefined) {
      throw refusal({ text, file, host }, "edit-parse", error.pos[0], `not valid YAML: ${error.message}`, {
        hint: "Repair the file; nothing is written into one that cannot be read.",
        cause: error,
      });
    }
  }
  const aliases = documents.flatMap((document) => [...aliasesOf(document)]);
  const lost = aliases.find(([, target]) => target === undefined)?.[0];
  if (lost !== undefined) {
    throw refusal(
      { text, file, host },
      "edit-parse",
      lost.range?.[0] ?? 0,
      `there is no anchor &${lost.source} before`,
      {
        hint: "Repair the file; nothing is written into one that cannot be read.",
      },
    );
  }
  if (aliases.length > MAX_ALIASES) {
    throw new GitspanError("edit-too-large", `${file} has more than ${MAX_ALIASES} aliases`, {
      hint: "Write the values out, or split the file.",
      at: { file, line: 1, column: 1 },
    });
  }
  return { text, file, documents, json: isJson(text), host };
}

function isJson(text: string): boolean {
  if (!/^\uFEFF?\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text.replace(/^\uFEFF/, ""));
    return true;
  } catch {
    return false;
  }
}

/** Walks the tokens without recursion: the tree is only built once it is known to be shallow. */
function checkDepth(source: Positioned, tokens: readonly CST.Token[]): void {
  const stack = tokens.map((token) => ({ token, depth: 0 }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { token, depth } = top;
    if (depth > MAX_DEPTH) {
      throw refusal(source, "edit-too-large", token.offset, `nested more than ${MAX_DEPTH} levels deep`, {
        hint: "Such a file is not edited.",
      });
    }
    stack.push(...childrenOf(token).map((child) => ({ token: child, depth: depth + 1 })));
  }
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!CST.isCollection(token)) return [];
  return token.items.flatMap((item) => [item.key, item.value].filter((child) => child !== null && child !== undefined));
}

/** 1-based line and column, as editors show them; a byte order mark takes no column. */
export function positionAt(source: Positioned, offset: number): SourcePosition {
  if (source.host !== undefined) return positionAt(source.host.source, source.host.outward(offset));
  const before = source.text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const mark = lineStart === 0 && before.startsWith("\uFEFF") ? 1 : 0;
  return {
    file: source.file,
    line: before.split("\n").length,
    column: offset - lineStart - mark + 1,
  };
}

const MAX_EXCERPT = 120;

/** A line as messages end with it; 1-based. */
export function excerptAt(text: string, line: number): string {
  const trimmed = (text.split("\n")[line - 1] ?? "").trim();
  return trimmed.length > MAX_EXCERPT ? `${trimmed.slice(0, MAX_EXCERPT)}...` : trimmed;
}

/** An error at a place of the file; the message shows the line. */
export function refusal(
  source: Positioned,
  code: ErrorCode,
  offset: number,
  message: string,
  details: { hint: string; cause?: unknown },
): GitspanError {
  if (source.host !== undefined)
    return refusal(source.host.source, code, source.host.outward(offset), message, details);
  const at = positionAt(source, offset);
  const excerpt = excerptAt(source.text, at.line);
  const shown = excerpt === "" ? "" : `: ${excerpt}`;
  return new GitspanError(code, `${at.file}:${at.line}:${at.column}: ${message}${shown}`, { ...details, at });
}
