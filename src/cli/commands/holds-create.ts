import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { durationOption } from "../duration.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedHolds } from "../target-tables.ts";
import { isHoldBody } from "../target-wire.ts";

interface CreateOptions extends ServerOptions {
  why: string;
  digest?: string;
  until?: string;
  for?: number;
  output: Format;
}

export function addHoldsCreate(holds: Command, context: Context): void {
  const command = holds
    .command("create")
    .description("keep a digest, or everything, from being written to a target")
    .argument("<target>", "app/environment")
    .requiredOption("--why <text>", "reason, for those who find it")
    .option("--digest <digest>", "hold this image digest only")
    .addOption(new Option("--until <time>", "ends by itself then, ISO 8601").conflicts("for"))
    .option("--for <duration>", "ends by itself after that, as 12h", durationOption);
  withOutputOption(withServerOptions(command)).action(
    action(context, (target: string, options: CreateOptions) => create(context, target, options)),
  );
}

async function create({ io }: Context, target: string, options: CreateOptions) {
  const { why, digest, output } = options;
  const until = options.for === undefined ? options.until : new Date(io.clock.now() + options.for).toISOString();
  const server = await resolveServer(io, options);
  const hold = await callApi(
    server,
    { method: "POST", path: "v1/holds", body: { target, why, digest, until }, accepts: isHoldBody },
    io.signal,
  );
  await print(io, output, printedHolds(hold));
  if (hold.alreadyBeingPushed === true) {
    io.stderr.write(`a push that began before may still write it: look at gitspan targets get ${target}\n`);
  }
  return undefined;
}
