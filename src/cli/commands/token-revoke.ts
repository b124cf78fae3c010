import type { Command } from "commander";
import { GitspanError } from "../../model/errors.ts";
import { action, type Context } from "../action.ts";

export function addTokenRevoke(token: Command, context: Context): void {
  token
    .command("revoke")
    .description("make a token invalid at once")
    .argument("<name>", "name of the token")
    .requiredOption("-c, --config <file>", "configuration file of the bridge")
    .action(
      action(context, async (name: string, { config }: { config: string }) => {
        const { io } = context;
        const { withStore } = await io.loadBridge();
        const revoked = await withStore(config, (store) => store.revokeToken(name));
        if (!revoked) throw new GitspanError("not-found", `there is no token named ${name}`);
        io.stderr.write(`token:${name} is revoked\n`);
        return undefined;
      }),
    );
}
