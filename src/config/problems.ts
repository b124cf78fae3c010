import { type ErrorCode, GitspanError, type SourcePosition } from "../model/errors.ts";

/** One thing that is wrong in a configuration file. Values that may be secret are never part of it. */
export interface ConfigurationProblem {
  code: Extract<ErrorCode, "config-invalid" | "config-unknown-key" | "config-not-supported">;
  at: SourcePosition;
  /** Starts with the path of the key: `apps.checkout.images: ...`. */
  message: string;
  hint?: string;
}

/** All that is wrong in one file: the message has a line for each problem, `problems` is for programs. */
export class ConfigurationError extends GitspanError {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    const first = problems[0];
    super("config-invalid", problems.map(formatProblem).join("\n"), { at: first?.at, hint: first?.hint });
    this.problems = problems;
  }
}

/** `gitspan.yaml:12:5: apps.checkout.image: unknown key (did you mean "images"?)` */
function formatProblem(problem: ConfigurationProblem): string {
  const { file, line, column } = problem.at;
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return `${file}:${line}:${column}: ${problem.message}${hint}`;
}

/** Sorted as they stand in the file, each place and message once. */
export function inFileOrder(problems: readonly ConfigurationProblem[]): ConfigurationProblem[] {
  const sorted = problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  const seen = new Set<string>();
  return sorted.filter((problem) => {
    const text = formatProblem(problem);
    return seen.size !== seen.add(text).size;
  });
}
