import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedHolds } from "../target-tables.ts";
import { isHoldList } from "../target-wire.ts";

interface ListOptions extends ServerOptions {
  app?: string;
  environment?: string;
  output: Format;
}

export function addHoldsList(holds: Command, context: Context): void {
  const command = holds
    .command("list")
    .description("list the holds in force, oldest first")
    .option("--app <name>", "on targets of this app")
    .option("--environment <name>", "on targets in this environment");
  withOutputOption(withServerOptions(command)).action(
    action(context, async (options: ListOptions) => {
      const { io } = context;
      const { output, app, environment } = options;
      const server = await resolveServer(io, options);
      const list = await callApi(
        server,
        { path: "v1/holds", query: { app, environment }, accepts: isHoldList },
        io.signal,
      );
      await print(io, output, printedHolds(list));
      return undefined;
    }),
  );
}
