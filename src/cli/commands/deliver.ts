import { type Command, Option } from "commander";
import { isTransient } from "../../model/errors.ts";
import { parseImageReference } from "../../model/image.ts";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { durationOption } from "../duration.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { progressOf } from "../progress.ts";
import { reportOutcomes } from "../report-outcomes.ts";
import { type ResultFiles, withResultOption, writeResults } from "../result-files.ts";
import { retrying } from "../retry.ts";
import { resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { printedBuild } from "../tables.ts";
import { isBuildBody } from "../wire.ts";

interface DeliverOptions extends ServerOptions {
  retryFor: number;
  result?: ResultFiles;
  output: Format;
}

export function addDeliver(program: Command, context: Context): void {
  const command = program
    .command("deliver")
    .description("from inside a Tekton run: have what this run built delivered; its Pod's token says which run it is")
    .argument("[image...]", "REPOSITORY[:TAG][@DIGEST] that the run must have built", imagesOption)
    .addOption(
      new Option("--retry-for <duration>", "how long to try again while the server or the run is not ready")
        .argParser(durationOption)
        .default(durationOption("5m"), "5m"),
    );
  withResultOption(command, ["build", "deliveries"]);
  withOutputOption(withServerOptions(command)).action(
    action(context, (images: object[], options: DeliverOptions) => deliver(context, images, options)),
  );
}

function imagesOption(text: string, before: object[] | undefined): object[] {
  const { repository, tag, digest } = parseImageReference(text);
  return [...(before ?? []), { repository, tag, digest }];
}

async function deliver({ io }: Context, images: object[], options: DeliverOptions) {
  const { retryFor, result, output, ...access } = options;
  const server = await resolveServer(io, access);
  const body = images.length === 0 ? {} : { images };
  const progress = progressOf(io, "lines");
  // Repeating is safe: the server knows the run again.
  const build = await retrying(io, retryFor, async () => {
    try {
      return await callApi(server, { method: "POST", path: "v1/builds", body, accepts: isBuildBody }, io.signal);
    } catch (error) {
      if (isTransient(error)) progress.retrying(error);
      throw error;
    }
  });
  await writeResults(result, { build: build.id, deliveries: build.deliveries.map(({ id }) => id) });
  await print(io, output, printedBuild(io, build));
  // What became of a build that was known already is for who waits for it: a repeat is no failure.
  reportOutcomes(io, build);
  return undefined;
}
