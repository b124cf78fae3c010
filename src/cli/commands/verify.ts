import { type Command, Option } from "commander";
import { PROVENANCE } from "../../model/trust.ts";
import { action, type Context } from "../action.ts";
import { durationOption } from "../duration.ts";
import { withOutputOption } from "../output.ts";
import type { VerifyOptions } from "../verify-run.ts";

// Not variadic, as in `edit`.
function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

export function addVerify(program: Command, context: Context): void {
  const command = program
    .command("verify")
    .description("whether an image is signed and built as it should be; needs no server. Exits with 4 when it is not")
    .argument("<image>", "REPOSITORY@DIGEST, or REPOSITORY:TAG for what the tag names now")
    .option("-c, --config <file>", "registries and policy of a configuration")
    .option("--environment <name>", "with --config: whose policy; the only one by default")
    .addOption(new Option("--key <file>", "public key that is trusted; may be repeated").argParser(collect))
    .addOption(new Option("--trusted-root <file>", "Sigstore's trusted_root.json").conflicts("caFile"))
    .option("--ca-file <file>", "certificate authority of the signers' certificates")
    .option("--certificate-identity <subject>", "who signed; * stands for any text")
    .option("--certificate-issuer <url>", "who vouches for that identity")
    .addOption(new Option("--provenance <kind>", "which is wanted (default: pipelinerun)").choices(PROVENANCE))
    .option("--no-signature", "the image itself need not be signed")
    .addOption(new Option("--builder <id>", "builder id of the provenance; may be repeated").argParser(collect))
    .addOption(new Option("--build-type <type>", "build type of the provenance; may be repeated").argParser(collect))
    .addOption(
      new Option("--max-age <duration>", "how long ago the build may have finished").argParser((text: string) => {
        durationOption(text);
        return text;
      }),
    )
    .option("--registry-url <url>", "address of the registry, where it is not https and the image's host")
    .option("--docker-config <file>", "file with the registry's credentials, as docker login writes it")
    .option("--registry-ca-file <file>", "certificates to trust beside the system's")
    .option("--source-repository <url>", "the source that the provenance has to name")
    .option("--source-commit <sha>", "its commit")
    .option("--run <uid>", "uid of the run that the provenance has to name")
    .addOption(
      new Option("--wait <duration>", "how long to wait for a signature").argParser(durationOption).default(0, "0s"),
    );
  withOutputOption(command).action(
    action(context, async (image: string, options: VerifyOptions) => {
      const { runVerify } = await import("../verify-run.ts");
      return runVerify(context.io, image, options);
    }),
  );
}
