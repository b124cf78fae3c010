import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";

/** What the commands share: the world they run in, and the exit code that the last one ended with. */
export interface Context {
  readonly io: Io;
  exitCode: ExitCode;
}

/** A command's work, whose result is the exit code of the process. */
export function action<Args extends unknown[]>(
  context: Context,
  run: (...args: Args) => Promise<ExitCode | undefined>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    context.exitCode = (await run(...args)) ?? EXIT.ok;
  };
}
