import { systemAmbient } from "./ambient.ts";
import type { Verified, VerifyRequest } from "./cli/trust-module.ts";
import type { Configuration } from "./config/configuration.ts";
import { readConfiguration } from "./config/read.ts";
import { registryOf, trustOf } from "./config/resolve-trust.ts";
import { GitspanError } from "./model/errors.ts";
import type { Digest, ImageReference } from "./model/image.ts";
import { locateImage } from "./model/image-location.ts";
import type { TrustPolicy } from "./model/trust.ts";
import type { RegistryTrust } from "./trust/trust.ts";
import { openTrust } from "./trust-connection.ts";

const LOOK_MS = 2_500;

/** Judges one image as a delivery of it would be judged, without a server or a database. */
export async function verifyImage(request: VerifyRequest, signal: AbortSignal): Promise<Verified> {
  const { clock } = systemAmbient;
  const { policy, registries } = await rulesOf(request);
  const trust = await openTrust({ clock, counted: () => undefined }, registries);
  try {
    const digest = await presentDigest(trust, request.image, signal);
    const image = { ...request.image, digest };
    const { source, run } = request;
    const question = { image, policy, ...(source && { source }), ...(run && { run }) };
    const end = clock.now() + request.waitMs;
    for (;;) {
      const decision = await trust.decide({ ...question, now: clock.now() }, signal);
      const left = end - clock.now();
      if (decision.proven || left <= 0) return { image, ...decision };
      await clock.sleep(Math.min(LOOK_MS, left), signal);
    }
  } finally {
    trust.close();
  }
}

async function presentDigest(trust: RegistryTrust, image: ImageReference, signal: AbortSignal): Promise<Digest> {
  const { repository, tag } = image;
  const named = image.digest ?? (tag && (await trust.digestOf({ repository, tag }, signal)));
  const absence = named
    ? await trust.absenceOf({ repository, digest: named }, signal)
    : `the registry has no ${repository}:${tag ?? ""}`;
  if (named && absence === undefined) return named;
  throw new GitspanError("not-found", absence ?? "", { hint: "Check the name, and that it was pushed." });
}

async function rulesOf({ by, image }: VerifyRequest): Promise<{
  policy: TrustPolicy;
  registries: Configuration["registries"];
}> {
  if (!("configFile" in by)) {
    const { host } = locateImage(image.repository);
    return {
      policy: trustOf(by.policy, by.from),
      registries: new Map([[host, registryOf(host, by.registry, by.from)]]),
    };
  }
  const { trust, registries } = await readConfiguration(by.configFile);
  const [only, second] = trust.keys();
  const environment = by.environment ?? (second === undefined ? only : undefined);
  const policy = environment === undefined ? undefined : trust.get(environment);
  if (policy !== undefined) return { policy, registries };
  const known = [...trust.keys()].join(", ") || "none";
  const message = `say for which environment: ${environment === undefined ? "" : `nothing has to be proven in ${environment}; `}${known} want proof`;
  throw new GitspanError("usage", message, { hint: "Name one with --environment, or add it to `trust.require`." });
}
