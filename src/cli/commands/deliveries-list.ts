import { type Command, Option } from "commander";
import { OUTCOMES, PHASES } from "../../model/delivery.ts";
import type { Context } from "../action.ts";
import { listPage } from "../list-page.ts";
import { withOutputOption } from "../output.ts";
import { withServerOptions } from "../server.ts";
import { printedDeliveries } from "../tables.ts";
import { isDeliveryPage } from "../wire.ts";

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
    listPage(context, { path: "v1/deliveries", accepts: isDeliveryPage, printed: printedDeliveries }),
  );
}
