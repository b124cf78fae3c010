import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { durationOption } from "../duration.ts";
import type { ExplainOptions } from "../explain-run.ts";
import { withOutputOption } from "../output.ts";

// Not variadic, as in `edit`.
function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

export function addExplain(program: Command, context: Context): void {
  const command = program
    .command("explain")
    .description("what the state of an Argo CD Application proves about a commit; needs no server")
    .addOption(
      new Option("--application <file>", "the Application as JSON or YAML, - for standard input").conflicts([
        "replay",
        "batch",
      ]),
    )
    .addOption(
      new Option("--replay <file>", "recorded versions as JSON lines {t, object}; - for standard input").conflicts(
        "batch",
      ),
    )
    .option("--name <name>", "with --replay: the Application, where several were recorded")
    .addOption(new Option("--batch", "JSON lines in, JSON lines out (docs/cli.md)"))
    .option("--commit <sha>", "the commit that wrote the values")
    .option("--history <file>", "the branch's commits, newest first, as `git log --format=%H` prints them")
    .addOption(
      new Option("--image <reference>", "NAME:TAG@DIGEST that must run; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--pods <file>", "the Pods as JSON or YAML: a list of Kubernetes, or a resource tree of Argo CD")
    .option("--baseline <file>", "the Application as it stood before the push")
    .addOption(
      new Option("--settle <duration>", "how long it must stay healthy")
        .argParser(durationOption)
        .default(30_000, "30s"),
    )
    .addOption(
      new Option("--degraded-after <duration>", "how long degraded must last")
        .argParser(durationOption)
        .default(45_000, "45s"),
    )
    .addOption(new Option("--timeout <duration>", "time limit").argParser(durationOption).default(780_000, "13m"));
  withOutputOption(command).action(
    action(context, async (options: ExplainOptions) => {
      const { runExplain } = await import("../explain-run.ts");
      return runExplain(context.io, options);
    }),
  );
}
