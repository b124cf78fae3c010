import { GitspanError } from "../model/errors.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { type Format, print } from "./output.ts";
import { type ProgressStyle, progressOf, stateOf } from "./progress.ts";
import { reportOutcomes } from "./report-outcomes.ts";
import { type ResultFiles, writeResults } from "./result-files.ts";
import type { Server } from "./server.ts";
import { printedBuild } from "./tables.ts";
import { type Until, waitForBuild } from "./wait-build.ts";

/** Waits, prints the build as it is then, and says what the exit code is. Throws `timed-out` after printing. */
export async function finishWait(
  io: Io,
  server: Server,
  input: { id: string; until: Until; timeoutMs: number; output: Format; progress: ProgressStyle; result?: ResultFiles },
): Promise<ExitCode> {
  const progress = progressOf(io, input.progress);
  const { build, settled } = await waitForBuild(io, server, { ...input, progress }).finally(() => progress.end());
  await writeResults(input.result, { outcomes: build.deliveries.map((one) => `${one.target} ${stateOf(one)}`) });
  await print(io, input.output, printedBuild(io, build));
  const exitCode = reportOutcomes(io, build);
  if (settled) return exitCode;
  const open = build.deliveries.filter((delivery) => delivery.outcome === undefined);
  const states = open.map((delivery) => `${delivery.target} is ${stateOf(delivery)}`).join(", ");
  throw new GitspanError("timed-out", `build ${build.id} is not ${input.until} in time: ${states}`, {
    hint: `It goes on by itself; wait again with: gitspan builds wait ${build.id}`,
  });
}
