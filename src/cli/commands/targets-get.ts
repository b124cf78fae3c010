import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { targetOption, targetPath } from "../target-path.ts";
import { printedTarget } from "../target-tables.ts";
import { isTargetBody } from "../target-wire.ts";

export function addTargetsGet(targets: Command, context: Context): void {
  const command = targets
    .command("get")
    .description("show a target: what runs there, who pinned it, what is held")
    .argument("<target>", "app/environment", targetOption);
  withOutputOption(withServerOptions(command)).action(
    action(context, async (target: string, options: ServerOptions & { output: Format }) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      const found = await callApi(server, { path: targetPath(target), accepts: isTargetBody }, io.signal);
      await print(io, options.output, printedTarget(found));
      return undefined;
    }),
  );
}
