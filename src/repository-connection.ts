import { readFile } from "node:fs/promises";
import type { RepositoryAccess, RepositoryAuth } from "./config/configuration.ts";
import { resolveSecret } from "./config/secrets.ts";
import type { Log } from "./delivery/ports.ts";
import { GithubAppToken } from "./git/github-app.ts";
import { openRemoteRepository, type RemoteRepository } from "./git/repository.ts";
import type { Ambient } from "./model/ambient.ts";

/** Everything that a connection to a repository depends on. */
export interface RepositoryLocation extends Omit<RepositoryAccess, "caFile"> {
  ca: string | undefined;
}

/** Reads the certificates: others make another connection. */
export async function locationOf({ url, auth, caFile, proxy }: RepositoryAccess): Promise<RepositoryLocation> {
  return { url, auth, proxy, ca: caFile === undefined ? undefined : await readFile(caFile, "utf8") };
}

interface OpenRepository {
  git: RemoteRepository;
  close(): void;
}

/** Secrets are read again whenever they are needed: they are rotated while we run. */
export function openRepository(deps: { ambient: Ambient; log: Log }, location: RepositoryLocation): OpenRepository {
  const { url, auth, ca, proxy } = location;
  if (auth?.kind === "github-app") {
    const app = new GithubAppToken(deps.ambient, {
      ...auth,
      ca,
      proxy,
      privateKey: () => resolveSecret(auth.privateKey),
    });
    const git = openRemoteRepository(deps, {
      url,
      ca,
      proxy,
      credentials: () => app.credentials(),
      refused: () => app.refused(),
    });
    const close = (): void => {
      git.close();
      app.close();
    };
    return { git, close };
  }
  const git =
    auth?.kind === "ssh"
      ? openRemoteRepository(deps, { url, ssh: sshAccessOf(auth) })
      : openRemoteRepository(deps, { url, ca, proxy, credentials: () => credentialsOf(auth) });
  return { git, close: () => git.close() };
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
