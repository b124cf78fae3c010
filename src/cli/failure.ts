import { GitspanError, messageOf } from "../model/errors.ts";
import { type ExitCode, exitCodeOfError } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";

/** Tells a person what went wrong and what to do about it. */
export function showError(io: Io, error: unknown): ExitCode {
  const [first = "", ...rest] = messageOf(error).split("\n").map(printable);
  const lines = [`gitspan: ${first}`, ...rest];
  if (error instanceof GitspanError) {
    // A list of problems has the hint of each within it.
    if (error.hint !== undefined && !error.message.includes(error.hint)) lines.push(`  hint: ${printable(error.hint)}`);
  } else if (io.env["GITSPAN_DEBUG"] && error instanceof Error) {
    lines.push(error.stack ?? "");
  }
  io.stderr.write(`${lines.join("\n")}\n`);
  return exitCodeOfError(error);
}
