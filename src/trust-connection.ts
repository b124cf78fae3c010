import { readFile } from "node:fs/promises";
import type { Configuration, RegistryConfiguration } from "./config/configuration.ts";
import { resolveSecret } from "./config/secrets.ts";
import type { Clock } from "./model/ambient.ts";
import { GitspanError, messageOf } from "./model/errors.ts";
import { locateImage } from "./model/image-location.ts";
import { dockerCredentials, type RegistryCredentials } from "./trust/credentials.ts";
import type { RegistryOptions } from "./trust/registry.ts";
import { signersOf } from "./trust/signers.ts";
import { RegistryTrust, type TrustDeps } from "./trust/trust.ts";

/** Opens the registries of a configuration; credentials and keys are read again whenever they are needed. */
export async function openTrust(
  deps: { clock: Clock; counted: TrustDeps["counted"] },
  registries: Configuration["registries"],
): Promise<RegistryTrust> {
  const options = await Promise.all([...registries.values()].map(registryOptions));
  return new RegistryTrust({ ...deps, readFile: readTrustFile }, options);
}

/** Throws what is wrong with the keys and authorities of the policies: nothing could ever be proven by them. */
export async function checkSigners(policies: Configuration["trust"]): Promise<void> {
  for (const policy of policies.values()) await signersOf(policy, readTrustFile, 0);
}

async function registryOptions(registry: RegistryConfiguration): Promise<RegistryOptions> {
  const { url, mirrors, auth, tokenHosts, caFile } = registry;
  // `index.docker.io` and `docker.io` are one.
  const { host } = locateImage(`${registry.host}/x`);
  return {
    host,
    mirrors,
    tokenHosts,
    ...(url === undefined ? {} : { address: url }),
    ...(auth === undefined ? {} : { credentials: () => credentialsOf(auth, host) }),
    ...(caFile === undefined ? {} : { ca: await readTrustFile(caFile) }),
  };
}

async function credentialsOf(
  auth: NonNullable<RegistryConfiguration["auth"]>,
  host: string,
): Promise<RegistryCredentials | undefined> {
  if (auth.kind === "docker-config") return dockerCredentials(await resolveSecret(auth.file), host);
  return { kind: "basic", username: auth.username, password: await resolveSecret(auth.password) };
}

/** Keys and certificates: no secrets, and nothing goes on without them. */
async function readTrustFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new GitspanError("config-unreadable", `${file} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: "Check that the file is mounted, and that the process may read it.",
      transient: true,
    });
  }
}
