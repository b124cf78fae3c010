import { readFile } from "node:fs/promises";
import type { RepositoryAccess, RepositoryAuth, SecretReference } from "./config/configuration.ts";
import { resolveSecret } from "./config/secrets.ts";
import type { Log } from "./delivery/ports.ts";
import { GithubAppToken } from "./git/github-app.ts";
import { openRemoteRepository, type RemoteRepository } from "./git/repository.ts";
import type { Ambient } from "./model/ambient.ts";

/** Everything that a connection to a repository depends on. */
export interface RepositoryLocation extends Omit<RepositoryAccess, "caFile"> {
  ca: string | undefined;
  /** Absent for repositories that are only read. */
  signingKey?: SecretReference | undefined;
  /** Of the objects kept in memory; the engine's default for repositories that are written. */
  storeBytes?: number;
}

/** Reads the certificates: others make another connection. */
export async function locationOf(
  access: RepositoryAccess & { signingKey?: SecretReference | undefined },
): Promise<RepositoryLocation> {
  const { url, auth, caFile, proxy, signingKey } = access;
  return { url, auth, proxy, signingKey, ca: caFile === undefined ? undefined : await readFile(caFile, "utf8") };
}

interface OpenRepository {
  git: RemoteRepository;
  close(): void;
}

/** Secrets are read again whenever they are needed: they are rotated while we run. */
export function openRepository(deps: { ambient: Ambient; log: Log }, location: RepositoryLocation): OpenRepository {
  const { url, auth, ca, proxy, storeBytes, signingKey: reference } = location;
  const common = { url, ca, proxy, storeBytes, signingKey: reference && (() => resolveSecret(reference)) };
  if (auth?.kind === "ssh") {
    const git = openRemoteRepository(deps, { ...common, ssh: sshAccessOf(auth) });
    return { git, close: () => git.close() };
  }
  if (auth?.kind !== "github-app") {
    const git = openRemoteRepository(deps, { ...common, credentials: () => credentialsOf(auth) });
    return { git, close: () => git.close() };
  }
  const privateKey = (): Promise<string> => resolveSecret(auth.privateKey);
  const app = new GithubAppToken(deps.ambient, { ...auth, ca, proxy, privateKey });
  const credentials = { credentials: () => app.credentials(), refused: () => app.refused() };
  const git = openRemoteRepository(deps, { ...common, ...credentials });
  const close = (): void => {
    git.close();
    app.close();
  };
  return { git, close };
}

function sshAccessOf({ keyFile, knownHostsFile, passphrase }: Extract<RepositoryAuth, { kind: "ssh" }>) {
  return {
    key: async () => ({
      // As it stands: a private key ends with a line feed.
      privateKey: `${await resolveSecret({ file: keyFile })}\n`,
      passphrase: passphrase && (await resolveSecret(passphrase)),
    }),
    knownHosts: () => resolveSecret({ file: knownHostsFile }),
  };
}

async function credentialsOf(auth: Extract<RepositoryAuth, { kind: "basic" | "bearer" }> | undefined) {
  if (auth === undefined) return undefined;
  const token = await resolveSecret(auth.token);
  return auth.kind === "bearer" ? { bearer: token } : { username: auth.username, password: token };
}
