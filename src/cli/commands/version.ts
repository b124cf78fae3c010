import type { Command } from "commander";
import { VERSION } from "../../version.ts";
import { action, type Context } from "../action.ts";

export function addVersion(program: Command, context: Context): void {
  program
    .command("version")
    .description("print the version")
    .action(
      action(context, async () => {
        context.io.stdout.write(`gitspan ${VERSION}\n`);
        return undefined;
      }),
    );
}
