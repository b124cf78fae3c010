import { once } from "node:events";
import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { EXIT } from "../exit-codes.ts";

export function addServe(program: Command, context: Context): void {
  program
    .command("serve")
    .description("run the bridge until SIGTERM or SIGINT, then finish what is under way")
    .requiredOption("-c, --config <file>", "configuration file")
    .action(action(context, (options: { config: string }) => serve(context, options.config)));
}

async function serve({ io }: Context, configFile: string) {
  const { startBridge } = await io.loadBridge();
  const bridge = await startBridge({ configFile });
  io.stderr.write(`gitspan listens on ${bridge.address}\n`);
  io.onReload(() => void bridge.reload());
  if (!io.signal.aborted) await once(io.signal, "abort");
  await bridge.close();
  // Being stopped is how a server ends well.
  return EXIT.ok;
}
