import type { Command } from "commander";
import type { Context } from "../action.ts";
import { addHoldsCreate } from "./holds-create.ts";
import { addHoldsList } from "./holds-list.ts";
import { addHoldsRemove } from "./holds-remove.ts";

export function addHolds(program: Command, context: Context): void {
  const holds = program.command("holds").description("keep images from being written to a target");
  addHoldsList(holds, context);
  addHoldsCreate(holds, context);
  addHoldsRemove(holds, context);
}
