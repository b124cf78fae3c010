import type { Command } from "commander";
import type { Context } from "../action.ts";
import type { Io } from "../io.ts";
import { listPage } from "../list-page.ts";
import { type Printed, withOutputOption } from "../output.ts";
import { withServerOptions } from "../server.ts";
import { printable } from "../table.ts";
import { printedTargets } from "../target-tables.ts";
import { isTargetList, type TargetList } from "../target-wire.ts";

export function addTargetsList(targets: Command, context: Context): void {
  const command = targets
    .command("list")
    .description("list targets with what was delivered to them last")
    .option("--app <name>", "of this app")
    .option("--environment <name>", "in this environment")
    .option("--limit <count>", "at most so many (1 to 200, default 50)")
    .option("--cursor <cursor>", "go on from the page before");
  withOutputOption(withServerOptions(command)).action(
    listPage(context, { path: "v1/targets", accepts: isTargetList, printed: printedList }),
  );
}

/** What is no target, and why, is talk: programs read it from the JSON. */
function printedList({ stderr }: Io, page: TargetList): Printed {
  for (const { message, hint } of page.refused ?? []) stderr.write(`gitspan: ${printable(`${message}. ${hint}`)}\n`);
  for (const { id, problem } of page.items) {
    if (problem === undefined) continue;
    stderr.write(
      `gitspan: ${printable(`${id} cannot be written: ${problem.message}. ${problem.hint ?? ""}`.trimEnd())}\n`,
    );
  }
  return printedTargets(page);
}
