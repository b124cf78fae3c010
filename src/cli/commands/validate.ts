import { type Command, Option } from "commander";
import { type GitspanError, isGitspanError } from "../../model/errors.ts";
import { action, type Context } from "../action.ts";
import { EXIT } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../table.ts";

interface ValidateOptions {
  config: string;
  output: "table" | "json";
}

export function addValidate(program: Command, context: Context): void {
  program
    .command("validate")
    .description("check a configuration file and list its targets; needs no server")
    .requiredOption("-c, --config <file>", "configuration file")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"))
    .action(action(context, (options: ValidateOptions) => validate(context.io, options)));
}

async function validate(io: Io, options: ValidateOptions) {
  const { readConfiguration } = await import("../../config/read.ts");
  try {
    const { targets, pattern, hash } = await readConfiguration(options.config);
    const rows = [...targets, ...(pattern?.targets ?? [])].map(({ id, repository, branch, images }) => ({
      target: id,
      repository,
      branch,
      images: images.map((image) => image.repository),
    }));
    if (options.output === "json") printJson(io, { valid: true, hash, targets: rows });
    else {
      io.stdout.write(
        formatTable([
          ["TARGET", "REPOSITORY", "BRANCH", "IMAGES"],
          ...rows.map((row) => [row.target, row.repository, row.branch, row.images.join(", ")]),
        ]),
      );
    }
    return EXIT.ok;
  } catch (error) {
    if (options.output !== "json" || !isGitspanError(error)) throw error;
    printJson(io, { valid: false, problems: await problemsOf(error) });
    return EXIT.configuration;
  }
}

async function problemsOf(error: GitspanError): Promise<unknown> {
  const { ConfigurationError } = await import("../../config/problems.ts");
  if (error instanceof ConfigurationError) return error.problems;
  return [{ code: error.code, message: error.message, hint: error.hint }];
}

function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
