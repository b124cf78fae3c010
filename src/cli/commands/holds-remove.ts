import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { isNothing } from "../target-wire.ts";

export function addHoldsRemove(holds: Command, context: Context): void {
  const command = holds
    .command("remove")
    .description("end a hold; what waited for it goes on")
    .argument("<id>", "id of the hold");
  withServerOptions(command).action(
    action(context, async (id: string, options: ServerOptions) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      const path = `v1/holds/${encodeURIComponent(id)}`;
      await callApi(server, { method: "DELETE", path, accepts: isNothing }, io.signal);
      io.stderr.write(`hold ${id} is removed\n`);
      return undefined;
    }),
  );
}
