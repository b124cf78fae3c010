import type { RepositoryAccess, RepositoryAuth, SecretReference } from "./configuration.ts";
import type { RawAccess, RawAuth } from "./schema-repository.ts";

// Forges take any user name with a token; Gitea and GitLab document this one.
const DEFAULT_USERNAME = "oauth2";
const GITHUB_API = "https://api.github.com";

type FromFile = (path: string) => string;

export function accessOf(raw: RawAccess, from: FromFile): RepositoryAccess {
  const { url, auth, caFile, proxy } = raw;
  return {
    url,
    auth: auth && authOf(auth, from),
    caFile: caFile === undefined ? undefined : from(caFile),
    proxy,
  };
}

/** Exactly one of the kinds is there, with what it needs: the schema and the cross checks have seen to it. */
function authOf(raw: RawAuth, from: FromFile): RepositoryAuth {
  const { sshKeyFile, knownHostsFile = "", passphraseFile, githubApp } = raw;
  if (sshKeyFile !== undefined) {
    return {
      kind: "ssh",
      keyFile: from(sshKeyFile),
      knownHostsFile: from(knownHostsFile),
      passphrase: passphraseFile === undefined ? undefined : { file: from(passphraseFile) },
    };
  }
  if (githubApp !== undefined) {
    return {
      kind: "github-app",
      appId: String(githubApp.appId),
      installationId: String(githubApp.installationId),
      privateKey: { file: from(githubApp.privateKeyFile) },
      apiUrl: (githubApp.apiUrl ?? GITHUB_API).replace(/\/+$/, ""),
    };
  }
  const token = secretOf(raw.tokenFile, raw.tokenEnv, from);
  if (raw.scheme === "bearer") return { kind: "bearer", token };
  return { kind: "basic", username: raw.username ?? DEFAULT_USERNAME, token };
}

export function secretOf(file: string | undefined, env: string | undefined, from: FromFile): SecretReference {
  return file === undefined ? { env: env ?? "" } : { file: from(file) };
}
