import { type GitspanError, isGitspanError } from "../model/errors.ts";
import { excerptAt } from "../overlays/source.ts";
import { type ExitCode, exitCodeOfError } from "./exit-codes.ts";
import { showError } from "./failure.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";

/**
 * Says why a file was not edited: the place and the code, the line with what is meant underlined, and what to do. `lead`
 * stands before the message.
 */
export function showRefusal(io: Io, error: unknown, text: string | undefined, lead = ""): ExitCode {
  const excerpt = isGitspanError(error) && text !== undefined ? excerptOf(error, text) : undefined;
  if (!isGitspanError(error) || (excerpt === undefined && lead === "")) return showError(io, error);
  const { message, lines } = excerpt ?? { message: error.message, lines: [] };
  const hint = error.hint === undefined ? [] : [`  hint: ${printable(error.hint)}`];
  io.stderr.write(`${[`gitspan: ${lead}${printable(message)} [${error.code}]`, ...lines, ...hint].join("\n")}\n`);
  return exitCodeOfError(error);
}

/** The message without the line that it ends with, and that line as a picture. */
function excerptOf({ at, message }: GitspanError, text: string): { message: string; lines: string[] } | undefined {
  const suffix = at === undefined ? "" : `: ${excerptAt(text, at.line)}`;
  if (at === undefined || suffix === ": " || !message.endsWith(suffix)) return undefined;
  const line = (text.split("\n")[at.line - 1] ?? "").replace(/^\uFEFF/, "").replaceAll("\t", " ");
  const rest = line.slice(at.column - 1);
  const [meant = "^"] = /^(?:"[^"]*"|'[^']*'|[^\s,\]}]+)/.exec(rest) ?? [];
  const number = String(at.line);
  const gutter = " ".repeat(number.length);
  return {
    message: message.slice(0, -suffix.length),
    lines: [
      `  ${number} | ${printable(line.trimEnd())}`,
      `  ${gutter} | ${" ".repeat(at.column - 1)}${"^".repeat(meant.length)}`,
    ],
  };
}
