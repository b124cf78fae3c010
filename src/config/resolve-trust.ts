import type { TrustPolicy } from "../model/trust.ts";
import type { RegistryConfiguration } from "./configuration.ts";
import { secretOf } from "./resolve-access.ts";
import type { RawConfiguration } from "./schema.ts";
import type { RawRegistry, RawTrustPolicy } from "./schema-trust.ts";
import { parseDuration } from "./values.ts";

type FromFile = (path: string) => string;

/** What Tekton Chains writes (docs/slsa-provenance.md there), in all of its formats. */
const CHAINS = "https://tekton.dev/chains/v2";
const CHAINS_BUILD_TYPES = ["tekton.dev/v1*/TaskRun", "tekton.dev/v1*/PipelineRun", `${CHAINS}/slsa*`];

const DEFAULT_WAIT_MS = 10 * 60_000;

/** What the file says of an environment; undefined where nothing has to be proven. */
export function rawTrustOf(
  raw: Pick<RawConfiguration, "trust" | "environments">,
  environment: string,
): RawTrustPolicy | undefined {
  if (raw.trust?.require.includes(environment) !== true) return undefined;
  return { ...raw.trust, ...raw.environments?.[environment]?.trust };
}

/** The policies of the environments that have one. */
export function trustByEnvironment(raw: RawConfiguration, from: FromFile): ReadonlyMap<string, TrustPolicy> {
  const policies = Object.keys(raw.environments ?? {}).flatMap((environment) => {
    const words = rawTrustOf(raw, environment);
    return words === undefined ? [] : [[environment, trustOf(words, from)] as const];
  });
  return new Map(policies);
}

/** With defaults for what the words do not say. */
export function trustOf(raw: RawTrustPolicy, from: FromFile): TrustPolicy {
  const { provenance = "pipelinerun", keyless, maxAge, waitForSignature } = raw;
  const isAny = provenance === "any";
  return {
    keyFiles: (raw.cosignKeyFiles ?? []).map(from),
    ...(keyless && {
      keyless: {
        identities: keyless.identities,
        ...(keyless.trustedRootFile === undefined ? {} : { trustedRootFile: from(keyless.trustedRootFile) }),
        ...(keyless.caFile === undefined ? {} : { caFile: from(keyless.caFile) }),
      },
    }),
    signature: raw.signature ?? true,
    provenance,
    builders: raw.builders ?? [CHAINS],
    buildTypes: raw.buildTypes ?? (isAny ? ["*"] : CHAINS_BUILD_TYPES),
    matchSource: raw.matchSource ?? true,
    matchRun: raw.matchRun ?? !isAny,
    ...(maxAge === undefined ? {} : { maxAgeMs: parseDuration(maxAge) ?? 0 }),
    waitMs: (waitForSignature === undefined ? undefined : parseDuration(waitForSignature)) ?? DEFAULT_WAIT_MS,
  };
}

export function registryOf(host: string, raw: RawRegistry | null, from: FromFile): RegistryConfiguration {
  const { url, mirrors = [], auth, tokenHosts = [], caFile } = raw ?? {};
  return {
    host,
    url: url?.replace(/\/+$/, ""),
    mirrors: mirrors.map((mirror) => mirror.replace(/\/+$/, "")),
    auth: auth && registryAuthOf(auth, from),
    tokenHosts,
    caFile: caFile === undefined ? undefined : from(caFile),
  };
}

function registryAuthOf(
  { username = "", passwordFile, passwordEnv, dockerConfigFile }: NonNullable<RawRegistry["auth"]>,
  from: FromFile,
): RegistryConfiguration["auth"] {
  if (dockerConfigFile !== undefined) return { kind: "docker-config", file: { file: from(dockerConfigFile) } };
  return { kind: "basic", username, password: secretOf(passwordFile, passwordEnv, from) };
}
