import { type Command, Option } from "commander";
import { OUTCOMES, PHASES } from "../../model/delivery.ts";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedDeliveries } from "../tables.ts";
import { isDeliveryPage } from "../wire.ts";

interface Filters {
  app?: string;
  environment?: string;
  outcome?: string;
  phase?: string;
  commit?: string;
  image?: string;
  build?: string;
  limit?: string;
  cursor?: string;
}

export function addDeliveriesList(deliveries: Command, context: Context): void {
  const command = deliveries
    .command("list")
    .description("list deliveries, newest first")
    .option("--app <name>", "of this app")
    .option("--environment <name>", "to this environment")
    .addOption(new Option("--outcome <outcome>", "that ended so").choices(Object.keys(OUTCOMES)))
    .addOption(new Option("--phase <phase>", "that are there").choices(PHASES))
    .option("--commit <sha>", "with this commit")
    .option("--image <text>", "with this repository, tag or digest")
    .option("--build <id>", "of this build")
    .option("--limit <count>", "at most so many (1 to 200, default 50)")
    .option("--cursor <cursor>", "go on from the page before");
  withOutputOption(withServerOptions(command)).action(
    action(context, async (options: Filters & ServerOptions & { output: Format }) => {
      const { io } = context;
      const { server, tokenFile, output, ...filters } = options;
      const address = await resolveServer(io, { server, tokenFile });
      const page = await callApi(
        address,
        { path: "v1/deliveries", query: { ...filters }, accepts: isDeliveryPage },
        io.signal,
      );
      await print(io, output, printedDeliveries(io, page));
      if (page.next !== undefined) io.stderr.write(`there are more: --cursor ${page.next}\n`);
      return undefined;
    }),
  );
}
