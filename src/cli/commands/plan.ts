import { type Command, Option } from "commander";
import type { Preview, TargetPreview } from "../../delivery/plan-preview.ts";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { type ImageReference, parseImageReference } from "../../model/image.ts";
import { action, type Context } from "../action.ts";
import { EXIT } from "../exit-codes.ts";
import { changesSomething, readPlanRequest } from "../plan-input.ts";
import { printable } from "../table.ts";
import { targetOption } from "../target-path.ts";

interface PlanOptions {
  config?: string;
  discover?: string | true;
  image?: string[];
  target?: string[];
  check?: true;
  output: "diff" | "json";
}

export function addPlan(program: Command, context: Context): void {
  program
    .command("plan")
    .description("show what a build would change in the repositories; writes nothing, needs no server")
    .argument("[file]", "the build as JSON (- for standard input), as POST /v1/builds takes it")
    .option("-c, --config <file>", "configuration file")
    .option("--discover [folder]", "without a configuration: where a clone writes images, and what leads there")
    .option("--image <reference...>", "REPOSITORY[:TAG][@DIGEST]; may be repeated")
    .option("--target <target...>", "only this app/environment; may be repeated", (text: string, before?: string[]) => [
      ...(before ?? []),
      targetOption(text),
    ])
    .option("--check", "exit with 1 when something would change")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["diff", "json"]).default("diff"))
    .action(action(context, (file: string | undefined, options: PlanOptions) => plan(context, file, options)));
}

async function plan({ io }: Context, file: string | undefined, options: PlanOptions) {
  const { config, discover, image, target, check, output } = options;
  if (discover !== undefined) {
    if ((config ?? target ?? file) !== undefined)
      throw usage("--discover takes images only", "Leave out what else is there.");
    const { runDiscover } = await import("../discover-run.ts");
    return runDiscover(io, discover === true ? "." : discover, { images: (image ?? []).map(imageOf), check, output });
  }
  if (config === undefined) throw usage("a plan needs a configuration", "Name it with --config, or use --discover.");
  const request = await readPlanRequest(io, { file, image, target });
  const { previewBuild } = await io.loadBridge();
  const preview = await previewBuild(config, request, io.signal);
  io.stdout.write(output === "json" ? `${JSON.stringify(preview, null, 2)}\n` : preview.targets.map(textOf).join("\n"));
  for (const line of remarksOn(preview)) io.stderr.write(`${printable(line)}\n`);
  const refused = preview.targets.some(({ refusal }) => refusal !== undefined);
  if (preview.targets.length === 0) return EXIT.refused;
  return refused || (check === true && changesSomething(preview)) ? EXIT.failed : EXIT.ok;
}

function imageOf(text: string): ImageReference {
  try {
    return parseImageReference(text);
  } catch (error) {
    throw usage(messageOf(error), "Write it as REPOSITORY[:TAG][@DIGEST].");
  }
}

function usage(message: string, hint: string): GitspanError {
  return new GitspanError("usage", message, { hint });
}

/** `git apply` takes it: what is not part of the diff stands before it, as comments. */
function textOf({ target, repository, branch, base, diff, message, applications }: TargetPreview): string {
  const head = [
    `${target} in ${repository}@${branch} (${base.slice(0, 12)})`,
    ...(applications === undefined ? [] : [`Applications: ${applications.join(", ") || "none"}`]),
    ...(message === undefined ? [] : ["", ...message.split("\n")]),
  ];
  return `${head.map((line) => `# ${printable(line)}`.trimEnd()).join("\n")}\n${diff}`;
}

function remarksOn({ targets, misses }: Preview): string[] {
  const remarks = targets.flatMap(({ target, diff, warnings, refusal, applicationsUnknown }) => [
    ...(refusal === undefined
      ? []
      : [`${target}: would be refused: ${refusal.message}. ${refusal.hint ?? ""}`.trimEnd()]),
    ...(diff === "" && refusal === undefined ? [`${target}: everything stands already`] : []),
    ...warnings.map((warning) => `${target}: ${warning}`),
    ...(applicationsUnknown === undefined ? [] : [`${target}: Applications unknown: ${applicationsUnknown}`]),
  ]);
  return [...remarks, ...misses, ...(targets.length === 0 ? ["no target takes these images"] : [])];
}
