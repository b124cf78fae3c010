import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedTargets } from "../target-tables.ts";
import { isTargetList } from "../target-wire.ts";

interface Filters {
  app?: string;
  environment?: string;
  limit?: string;
  cursor?: string;
}

export function addTargetsList(targets: Command, context: Context): void {
  const command = targets
    .command("list")
    .description("list targets with what was delivered to them last")
    .option("--app <name>", "of this app")
    .option("--environment <name>", "in this environment")
    .option("--limit <count>", "at most so many (1 to 200, default 50)")
    .option("--cursor <cursor>", "go on from the page before");
  withOutputOption(withServerOptions(command)).action(
    action(context, async (options: Filters & ServerOptions & { output: Format }) => {
      const { io } = context;
      const { server, tokenFile, output, ...filters } = options;
      const address = await resolveServer(io, { server, tokenFile });
      const page = await callApi(
        address,
        { path: "v1/targets", query: { ...filters }, accepts: isTargetList },
        io.signal,
      );
      await print(io, output, printedTargets(page));
      if (page.next !== undefined) io.stderr.write(`there are more: --cursor ${page.next}\n`);
      return undefined;
    }),
  );
}
