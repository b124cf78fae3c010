import { resolve } from "node:path";
import type { RawRegistry, RawTrustPolicy } from "../config/schema-trust.ts";
import { urlProblem } from "../config/values.ts";
import { GitspanError, messageOf } from "../model/errors.ts";
import { formatImageReference, type ImageReference, parseImageReference } from "../model/image.ts";
import type { ProvenanceKind } from "../model/trust.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { type Format, type Printed, print } from "./output.ts";
import { formatTable, printable } from "./table.ts";
import type { Verified, VerifyRequest } from "./trust-module.ts";

/** What the command line of `gitspan verify` says. */
export interface VerifyOptions {
  config?: string;
  environment?: string;
  key?: string[];
  trustedRoot?: string;
  caFile?: string;
  certificateIdentity?: string;
  certificateIssuer?: string;
  provenance?: ProvenanceKind;
  signature: boolean;
  builder?: string[];
  buildType?: string[];
  maxAge?: string;
  registryUrl?: string;
  dockerConfig?: string;
  registryCaFile?: string;
  sourceRepository?: string;
  sourceCommit?: string;
  run?: string;
  wait: number;
  output: Format;
}

/** `gitspan verify`: what is proven of an image, and by what; exits with 4 when it is not enough. */
export async function runVerify(io: Io, text: string, options: VerifyOptions): Promise<ExitCode> {
  const { sourceRepository: repository, sourceCommit: commit, run } = options;
  if ((repository === undefined) !== (commit === undefined)) {
    throw usage("a source is a repository and a commit", "Give both --source-repository and --source-commit.");
  }
  const request: VerifyRequest = {
    image: imageOf(text),
    by: options.config === undefined ? wordsOf(options) : configOf(options.config, options),
    source: repository === undefined || commit === undefined ? undefined : { repository, commit },
    run: run === undefined ? undefined : { uid: run },
    waitMs: options.wait,
  };
  const { verifyImage } = await io.loadTrust();
  const verified = await verifyImage(request, io.signal);
  await print(io, options.output, printed(verified));
  const { proven, message } = verified;
  io.stderr.write(`${printable(`${proven ? "proven" : "not proven"}: ${message}`)}\n`);
  return proven ? EXIT.ok : EXIT.refused;
}

function imageOf(text: string): ImageReference {
  try {
    const image = parseImageReference(text);
    if (image.digest !== undefined || image.tag !== undefined) return image;
  } catch (error) {
    throw usage(messageOf(error), "Write it as REPOSITORY@DIGEST.");
  }
  throw usage(`${text} has neither a digest nor a tag`, "Write it as REPOSITORY@DIGEST.");
}

/** A configuration says everything; a flag beside it would look as if it changed the policy. */
function configOf(configFile: string, options: VerifyOptions): VerifyRequest["by"] {
  const { environment, config: _config, wait: _wait, output: _output, signature, ...rest } = options;
  const { sourceRepository: _repository, sourceCommit: _commit, run: _run, ...words } = rest;
  const [extra] = [...Object.keys(words), ...(signature ? [] : ["noSignature"])];
  if (extra === undefined) return { configFile, environment };
  const flag = extra.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usage(`--${flag} and --config exclude each other`, "The configuration's `trust` says what counts.");
}

function wordsOf(options: VerifyOptions): VerifyRequest["by"] {
  const { key, trustedRoot, caFile, certificateIdentity: subject, certificateIssuer: issuer } = options;
  const hasRoot = trustedRoot !== undefined || caFile !== undefined;
  if (key === undefined && !hasRoot) {
    throw usage("nobody is trusted", "Give --key FILE, or --trusted-root FILE with an identity, or --config FILE.");
  }
  if (hasRoot && (subject === undefined || issuer === undefined)) {
    throw usage("a certificate counts for whom?", "Give --certificate-identity and --certificate-issuer.");
  }
  const identities = [{ issuer: issuer ?? "", subject: subject ?? "" }];
  const policy: RawTrustPolicy = {
    cosignKeyFiles: key,
    keyless: hasRoot ? { trustedRootFile: trustedRoot, caFile, identities } : undefined,
    signature: options.signature,
    provenance: options.provenance,
    builders: options.builder,
    buildTypes: options.buildType,
    maxAge: options.maxAge,
  };
  const { dockerConfig: dockerConfigFile, registryUrl: url, registryCaFile } = options;
  const problem = url === undefined ? undefined : urlProblem(url);
  if (problem !== undefined) throw usage(`--registry-url ${problem}`, "Write it as https://registry.example.com.");
  const auth = dockerConfigFile === undefined ? undefined : { dockerConfigFile };
  const registry: RawRegistry = { url, auth, caFile: registryCaFile };
  return { policy, registry, from: (path) => resolve(path) };
}

function printed(verified: Verified): Printed {
  const { image, evidence } = verified;
  const rows = evidence.map(({ what, counts, signer = "", says, where }) => [
    what,
    counts ? "yes" : "no",
    signer,
    says,
    where,
  ]);
  return {
    data: { ...verified, image: formatImageReference(image) },
    table: () => formatTable([["DOCUMENT", "COUNTS", "SIGNER", "SAYS", "WHERE"], ...rows]),
    names: () => (verified.proven ? [formatImageReference(image)] : []),
  };
}

function usage(message: string, hint: string): GitspanError {
  return new GitspanError("usage", message, { hint });
}
