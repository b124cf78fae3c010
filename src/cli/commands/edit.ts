import { type Command, Option } from "commander";
import { DIGEST_POLICIES, FILE_FORMATS } from "../../model/target.ts";
import { action, type Context } from "../action.ts";
import type { EditOptions } from "../edit-options.ts";

const FORMATS = ["auto", "kustomize", ...FILE_FORMATS];

// Not variadic: `--image a:1 file.yaml` would take the file for a second image.
function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect).default([], "none");
}

export function addEdit(program: Command, context: Context): void {
  program
    .command("edit")
    .description("change images, refs and values in YAML files byte for byte; needs no server")
    .argument("[file...]", "files to edit; none, or -: standard input")
    .addOption(repeatable("--image <reference>", "NAME[=NEWNAME][:TAG][@DIGEST]; may be repeated"))
    .addOption(repeatable("--ref <change>", "URL=NEW or OLD=NEW: the ?ref= of remote kustomizations; may be repeated"))
    .addOption(repeatable("--at <change>", "[DOCUMENT#]PATH=VALUE, as image.tag=1.4.2; may be repeated"))
    .addOption(new Option("--format <format>", "where images are looked for").choices(FORMATS).default("auto"))
    .option("--add", "an image without an entry in images of a kustomization gets one")
    .addOption(
      new Option("--digest <policy>", "what is written of an image that has both")
        .choices(DIGEST_POLICIES)
        .default("tag+digest"),
    )
    .addOption(
      new Option("--check", "print nothing, exit with 1 when something would change").conflicts(["diff", "write"]),
    )
    .addOption(new Option("--diff", "print a unified diff instead of the result").conflicts("write"))
    .option("--write", "replace the files")
    .addOption(
      new Option("--batch", "JSON lines in, JSON lines out (docs/cli.md)").conflicts(["check", "diff", "write"]),
    )
    .action(
      action(context, async (files: string[], options: EditOptions) => {
        // The editors and the YAML parser are loaded only here: every other command starts without them.
        const { runEdit } = await import("../edit-run.ts");
        return runEdit(context.io, files, options);
      }),
    );
}
