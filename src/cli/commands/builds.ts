import type { Command } from "commander";
import type { Context } from "../action.ts";
import { addBuildsGet } from "./builds-get.ts";
import { addBuildsWait } from "./builds-wait.ts";

export function addBuilds(program: Command, context: Context): void {
  const builds = program.command("builds").description("look at builds and wait for them");
  addBuildsGet(builds, context);
  addBuildsWait(builds, context);
}
