import type { Command } from "commander";
import type { Context } from "../action.ts";
import { addDeliveriesGet } from "./deliveries-get.ts";
import { addDeliveriesList } from "./deliveries-list.ts";
import { addDeliveriesWatch } from "./deliveries-watch.ts";

export function addDeliveries(program: Command, context: Context): void {
  const deliveries = program.command("deliveries").description("look at deliveries");
  addDeliveriesList(deliveries, context);
  addDeliveriesGet(deliveries, context);
  addDeliveriesWatch(deliveries, context);
}
