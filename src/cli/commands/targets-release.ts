import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { targetOption, targetPath } from "../target-path.ts";
import { printedTarget } from "../target-tables.ts";
import { isTargetBody } from "../target-wire.ts";

export function addTargetsRelease(targets: Command, context: Context): void {
  const command = targets
    .command("release")
    .description("take the pin off a target: what waits for it goes on")
    .argument("<target>", "app/environment", targetOption);
  withOutputOption(withServerOptions(command)).action(
    action(context, async (target: string, options: ServerOptions & { output: Format }) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      const path = `${targetPath(target)}/release`;
      const released = await callApi(server, { method: "POST", path, accepts: isTargetBody }, io.signal);
      await print(io, options.output, printedTarget(released));
      io.stderr.write(released.released === true ? `${target} is released\n` : `${target} was not pinned\n`);
      return undefined;
    }),
  );
}
