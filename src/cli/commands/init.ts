import type { Command } from "commander";
import { action, type Context } from "../action.ts";

export function addInit(program: Command, context: Context): void {
  program
    .command("init")
    .description("write a first configuration from a clone of the GitOps repository; needs no server")
    .argument("[folder]", "the clone", ".")
    .option("--write <file>", "write there instead of printing it; never replaces a file")
    .action(
      action(context, async (folder: string, options: { write?: string }) => {
        const { runInit } = await import("../init-run.ts");
        return runInit(context.io, folder, options.write);
      }),
    );
}
