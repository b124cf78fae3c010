import { type Command, Option } from "commander";
import { action, type Context } from "../action.ts";
import { callApi } from "../api.ts";
import { type BuildFlags, readReport } from "../build-input.ts";
import { durationOption } from "../duration.ts";
import { finishWait } from "../finish-wait.ts";
import { type Format, print, withOutputOption } from "../output.ts";
import { type ProgressStyle, withProgressOption } from "../progress.ts";
import { reportOutcomes } from "../report-outcomes.ts";
import { type ResultFiles, withResultOption, writeResults } from "../result-files.ts";
import { retrying } from "../retry.ts";
import { resolveAddress, resolveServer, type ServerOptions, withServerOptions } from "../server.ts";
import { resolveSigner } from "../signer.ts";
import { printedBuild } from "../tables.ts";
import type { Until } from "../wait-build.ts";
import { isBuildBody } from "../wire.ts";

interface SendOptions extends ServerOptions, BuildFlags {
  wait?: Until;
  timeout: number;
  retryFor: number;
  idempotencyKey?: string;
  signKey?: string;
  signSecretFile?: string;
  result?: ResultFiles;
  progress: ProgressStyle;
  output: Format;
}

export function addSend(program: Command, context: Context): void {
  const command = program
    .command("send")
    .description("report a build: from a JSON file (- for standard input) or from flags")
    .argument("[file]", "the build as JSON, as POST /v1/builds takes it")
    .option("--image <reference...>", "[NAME=]REPOSITORY[:TAG][@DIGEST]; may be repeated")
    .option("--commit <sha>", "source commit, all of it")
    .option("--repository <url>", "source repository")
    .option("--ref <ref>", "refs/heads/... or refs/tags/...")
    .option("--commit-time <time>", "committer date, ISO 8601")
    .option("--subject <text>", "first line of the commit message")
    .option("--author <text>", "author of the commit")
    .option("--run-kind <kind>", "kind of the CI run, as PipelineRun")
    .option("--run-name <name>", "name of the CI run")
    .option("--run-uid <uid>", "unique id of the CI run: the same run is taken once")
    .option("--run-namespace <namespace>", "namespace of the CI run")
    .option("--run-url <url>", "where people see the CI run")
    .option("--run-finished-at <time>", "when the CI run ended, ISO 8601")
    .option("--sign-key <name>", "sign the report with this key instead of showing a token")
    .option("--sign-secret-file <file>", "file with the secret of that key")
    .option("--idempotency-key <key>", "the same key with the same build is one request")
    .addOption(
      new Option("--wait [state]", "wait until all deliveries are written or done")
        .choices(["written", "done"])
        .preset("done"),
    )
    .addOption(
      new Option("--timeout <duration>", "how long to wait")
        .argParser(durationOption)
        .default(durationOption("10m"), "10m"),
    )
    .addOption(
      new Option("--retry-for <duration>", "how long to try again while the server cannot be reached")
        .argParser(durationOption)
        .default(durationOption("30s"), "30s"),
    );
  withResultOption(withProgressOption(command), ["build", "deliveries", "outcomes"]);
  withOutputOption(withServerOptions(command)).action(
    action(context, (file: string | undefined, options: SendOptions) => send(context, file, options)),
  );
}

async function send({ io }: Context, file: string | undefined, options: SendOptions) {
  const { server, tokenFile, cluster, signKey, signSecretFile, ...others } = options;
  const { wait, timeout, retryFor, idempotencyKey, result, progress, output, ...flags } = others;
  const body = await readReport(io, file, flags);
  const signer = await resolveSigner(io, { signKey, signSecretFile });
  // A signature is for the report alone: waiting means reading, which needs a token.
  const showsToken = signer === undefined || wait !== undefined;
  const address = showsToken ? await resolveServer(io, { server, tokenFile, cluster }) : resolveAddress(io, { server });
  const headers: Record<string, string> = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  // Repeating is safe: the server knows the run, or the subject's images and commit, again.
  const build = await retrying(io, retryFor, () =>
    callApi(address, { method: "POST", path: "v1/builds", body, headers, signer, accepts: isBuildBody }, io.signal),
  );
  await writeResults(result, { build: build.id, deliveries: build.deliveries.map(({ id }) => id) });
  if (wait !== undefined) {
    io.stderr.write(`build ${build.id} is accepted, waiting until it is ${wait}\n`);
    return finishWait(io, address, { id: build.id, until: wait, timeoutMs: timeout, output, progress, result });
  }
  await print(io, output, printedBuild(io, build));
  return reportOutcomes(io, build);
}
