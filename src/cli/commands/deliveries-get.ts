import type { Command } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedDelivery } from "../tables.ts";
import { isDeliveryBody } from "../wire.ts";

export function addDeliveriesGet(deliveries: Command, context: Context): void {
  const command = deliveries
    .command("get")
    .description("show a delivery, what happened to it and why")
    .argument("<id>", "id of the delivery");
  withOutputOption(withServerOptions(command)).action(
    action(context, async (id: string, options: ServerOptions & { output: Format }) => {
      const { io } = context;
      const server = await resolveServer(io, options);
      const path = `v1/deliveries/${encodeURIComponent(id)}`;
      await print(
        io,
        options.output,
        printedDelivery(await callApi(server, { path, accepts: isDeliveryBody }, io.signal)),
      );
      return undefined;
    }),
  );
}
