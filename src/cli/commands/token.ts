import type { Command } from "commander";
import type { Context } from "../action.ts";
import { addTokenCreate } from "./token-create.ts";
import { addTokenRevoke } from "./token-revoke.ts";

export function addToken(program: Command, context: Context): void {
  const token = program.command("token").description("make and revoke bearer tokens, in the database itself");
  addTokenCreate(token, context);
  addTokenRevoke(token, context);
}
