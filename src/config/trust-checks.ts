import { locateImage } from "../model/image-location.ts";
import type { KeyPath } from "./document.ts";
import { ANY_ENVIRONMENT } from "./expand.ts";
import type { Report } from "./place-checks.ts";
import { rawTrustOf } from "./resolve-trust.ts";
import type { RawConfiguration } from "./schema.ts";

/** What registries and proofs have to do with environments and images: a policy that nobody could meet is a mistake. */
export function checkTrust(raw: RawConfiguration, report: Report): void {
  for (const [host, registry] of Object.entries(raw.registries ?? {})) {
    checkAuth(["registries", host, "auth"], registry?.auth, report);
  }
  for (const [environment, own] of Object.entries(raw.environments ?? {})) {
    const path = ["environments", environment, "trust"];
    const policy = rawTrustOf(raw, environment);
    if (policy === undefined) {
      const hint = `add ${environment} to trust.require, or remove it`;
      if (own?.trust !== undefined) report(path, "is for an environment in which nothing has to be proven", hint);
      continue;
    }
    const at = own?.trust === undefined ? ["trust"] : path;
    if (policy.cosignKeyFiles === undefined && policy.keyless === undefined) {
      report(at, "trusts nobody", "name the public keys in cosignKeyFiles, or identities in keyless");
    }
    if (policy.signature === false && policy.provenance === "none") {
      report(at, "asks for neither a signature nor provenance", `take ${environment} out of trust.require`);
    }
    checkImages(raw, environment, report);
  }
}

function checkAuth(
  path: KeyPath,
  auth: { username?: unknown; dockerConfigFile?: unknown } | undefined,
  report: Report,
) {
  if (auth === undefined) return;
  const isFile = auth.dockerConfigFile !== undefined;
  if (isFile && auth.username !== undefined) report([...path, "username"], "goes with passwordFile or passwordEnv");
  if (!isFile && auth.username === undefined) report(path, "needs a username");
}

function checkImages(raw: RawConfiguration, environment: string, report: Report): void {
  const configured = new Set(Object.keys(raw.registries ?? {}).map((host) => locateImage(`${host}/x`).host));
  for (const [app, { images, targets }] of Object.entries(raw.apps ?? {})) {
    if (!Object.hasOwn(targets, environment) && !Object.hasOwn(targets, ANY_ENVIRONMENT)) continue;
    for (const [name, repository] of Object.entries(images)) {
      const { host } = locateImage(repository);
      if (configured.has(host)) continue;
      const message = `${environment} wants proof of it, and its registry ${host} is not configured`;
      report(["apps", app, "images", name], message, `add ${host} to registries`);
    }
  }
}
