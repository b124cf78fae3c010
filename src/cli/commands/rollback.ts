import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { durationOption } from "../duration.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { reportOutcomes } from "../report-outcomes.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedDelivery } from "../tables.ts";
import { targetOption, targetPath } from "../target-path.ts";
import { waitForDelivery } from "../wait-delivery.ts";
import { isDeliveryBody } from "../wire.ts";

interface RollbackOptions extends ServerOptions {
  why: string;
  wait?: true;
  timeout: number;
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
    );
  withOutputOption(withServerOptions(command)).action(
    action(context, (target: string, options: RollbackOptions) => rollback(context, target, options)),
  );
}

async function rollback({ io }: Context, target: string, { why, wait, timeout, output, ...options }: RollbackOptions) {
  const server = await resolveServer(io, options);
  const path = `${targetPath(target)}/rollbacks`;
  const begun = await callApi(server, { method: "POST", path, body: { why }, accepts: isDeliveryBody }, io.signal);
  if (wait === undefined) {
    await print(io, output, printedDelivery(begun));
    return undefined;
  }
  const done = await waitForDelivery(io, server, { id: begun.id, timeoutMs: timeout });
  await print(io, output, printedDelivery(done));
  return reportOutcomes(io, { deliveries: [done] });
}
