import { type Command, InvalidArgumentError } from "commander";
import { mintToken } from "../../config/tokens.ts";
import { GitspanError } from "../../model/errors.ts";
import { action, type Context } from "../action.ts";
import { durationOption } from "../duration.ts";

interface CreateOptions {
  config: string;
  group?: string[];
  expires?: number;
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;

export function addTokenCreate(token: Command, context: Context): void {
  token
    .command("create")
    .description("make a token and print it, this once; access rules name it as token:NAME")
    .argument("<name>", "name of the token", nameOption)
    .requiredOption("-c, --config <file>", "configuration file of the bridge")
    .option("--group <name>", "a group that it belongs to; may be repeated", collect)
    .option("--expires <duration>", "how long it is valid, as 90d (default: until it is revoked)", durationOption)
    .action(action(context, (name: string, options: CreateOptions) => create(context, name, options)));
}

async function create({ io }: Context, name: string, { config, group, expires }: CreateOptions) {
  const { withStore } = await io.loadBridge();
  const { token, hash } = mintToken();
  const expiresAt = expires === undefined ? undefined : io.clock.now() + expires;
  const created = await withStore(config, (store) => store.createToken({ name, hash, groups: group ?? [], expiresAt }));
  if (!created) {
    throw new GitspanError("usage", `there is a token named ${name} already`, {
      hint: `Choose another name, or revoke that one first: gitspan token revoke ${name}`,
    });
  }
  io.stdout.write(`${token}\n`);
  io.stderr.write(`token:${name} is made; it is shown only now\n`);
  return undefined;
}

function nameOption(text: string): string {
  if (!NAME.test(text)) throw new InvalidArgumentError("Use lower-case letters, digits, dots, dashes, underscores.");
  return text;
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), nameOption(text)];
}
