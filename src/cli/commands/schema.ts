import type { Command } from "commander";
import { action, type Context } from "../action.ts";

export function addSchema(program: Command, context: Context): void {
  program
    .command("schema")
    .description("print the JSON Schema of the configuration, for editors")
    .action(
      action(context, async () => {
        const { configurationJsonSchema } = await import("../../config/json-schema.ts");
        context.io.stdout.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
        return undefined;
      }),
    );
}
