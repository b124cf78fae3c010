import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { durationOption } from "../duration.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { type ProgressStyle, stateOf, withProgressOption } from "../progress.ts";
import { reportOutcomes } from "../report-outcomes.ts";
import { type ResultFiles, withResultOption, writeResults } from "../result-files.ts";
import { retrying } from "../retry.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedDelivery } from "../tables.ts";
import { targetOption, targetPath } from "../target-path.ts";
import { waitForDelivery } from "../wait-delivery.ts";
import { isDeliveryBody } from "../wire.ts";

interface RollbackOptions extends ServerOptions {
  why: string;
  wait?: true;
  timeout: number;
  retryFor: number;
  result?: ResultFiles;
  progress: ProgressStyle;
  output: Format;
}

export function addRollback(program: Command, context: Context): void {
  const command = program
    .command("rollback")
    .description("take a target back to its last healthy delivery, and hold what is taken out")
    .argument("<target>", "app/environment", targetOption)
    .requiredOption("--why <text>", "reason, for the commit message and the holds")
    .option("--wait", "wait until the rollback has its outcome")
    .addOption(
      new Option("--timeout <duration>", "how long to wait")
        .argParser(durationOption)
        .default(durationOption("10m"), "10m"),
    )
    .addOption(
      new Option("--retry-for <duration>", "how long to try again while the server cannot be reached")
        .argParser(durationOption)
        .default(durationOption("30s"), "30s"),
    );
  withResultOption(withProgressOption(command), ["delivery", "outcomes"]);
  withOutputOption(withServerOptions(command)).action(
    action(context, (target: string, options: RollbackOptions) => rollback(context, target, options)),
  );
}

async function rollback({ io }: Context, target: string, options: RollbackOptions) {
  const { why, wait, timeout, retryFor, result, progress, output, ...access } = options;
  const server = await resolveServer(io, access);
  const path = `${targetPath(target)}/rollbacks`;
  // Asking again is safe: the server knows a rollback that is under way.
  const begun = await retrying(io, retryFor, () =>
    callApi(server, { method: "POST", path, body: { why }, accepts: isDeliveryBody }, io.signal),
  );
  await writeResults(result, { delivery: begun.id });
  if (wait === undefined) {
    await print(io, output, printedDelivery(begun));
    return undefined;
  }
  const done = await waitForDelivery(io, server, { id: begun.id, timeoutMs: timeout, style: progress });
  await writeResults(result, { outcomes: [`${done.target} ${stateOf(done)}`] });
  await print(io, output, printedDelivery(done));
  return reportOutcomes(io, { deliveries: [done] });
}
