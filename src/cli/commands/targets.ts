import type { Command } from "commander";
import type { Context } from "../action.ts";
import { addTargetsGet } from "./targets-get.ts";
import { addTargetsList } from "./targets-list.ts";
import { addTargetsRelease } from "./targets-release.ts";

export function addTargets(program: Command, context: Context): void {
  const targets = program.command("targets").description("look at targets and release them");
  addTargetsList(targets, context);
  addTargetsGet(targets, context);
  addTargetsRelease(targets, context);
}
