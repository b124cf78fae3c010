import type { Command } from "commander";
import type { Context } from "../action.ts";
import { listPage } from "../list-page.ts";
import { withOutputOption } from "../output.ts";
import { withServerOptions } from "../server.ts";
import { printedTargets } from "../target-tables.ts";
import { isTargetList } from "../target-wire.ts";

export function addTargetsList(targets: Command, context: Context): void {
  const command = targets
    .command("list")
    .description("list targets with what was delivered to them last")
    .option("--app <name>", "of this app")
    .option("--environment <name>", "in this environment")
    .option("--limit <count>", "at most so many (1 to 200, default 50)")
    .option("--cursor <cursor>", "go on from the page before");
  withOutputOption(withServerOptions(command)).action(
    listPage(context, { path: "v1/targets", accepts: isTargetList, printed: (_io, page) => printedTargets(page) }),
  );
}
