import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { durationOption } from "../duration.ts";
import { finishWait } from "../finish-wait.ts";
import { type Format, withOutputOption } from "../output.ts";
import { type ProgressStyle, withProgressOption } from "../progress.ts";
import { type ResultFiles, withResultOption } from "../result-files.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import type { Until } from "../wait-build.ts";

interface WaitOptions extends ServerOptions {
  for: Until;
  timeout: number;
  result?: ResultFiles;
  progress: ProgressStyle;
  output: Format;
}

export function addBuildsWait(builds: Command, context: Context): void {
  const command = builds
    .command("wait")
    .description("wait until all deliveries of a build are written or done")
    .argument("<id>", "id of the build")
    .addOption(new Option("--for <state>", "what to wait for").choices(["written", "done"]).default("done"))
    .addOption(
      new Option("--timeout <duration>", "how long to wait")
        .argParser(durationOption)
        .default(durationOption("10m"), "10m"),
    );
  withResultOption(withProgressOption(command), ["outcomes"]);
  withOutputOption(withServerOptions(command)).action(
    action(context, async (id: string, options: WaitOptions) => {
      const server = await resolveServer(context.io, options);
      const { for: until, timeout: timeoutMs, output, progress, result } = options;
      return finishWait(context.io, server, { id, until, timeoutMs, output, progress, result });
    }),
  );
}
