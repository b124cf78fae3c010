import type { KeyPath } from "./document.ts";
import type { Report } from "./place-checks.ts";
import type { RawAccess } from "./schema-repository.ts";
import { isSshUrl } from "./values.ts";

/** What an address and its credentials have to do with one another. */
export function checkAccess(path: KeyPath, access: RawAccess, report: Report): void {
  const { url, auth = {} } = access;
  const own = (key: string): KeyPath => [...path, "auth", key];
  if (isSshUrl(url)) {
    if (access.auth === undefined) report([...path, "url"], "needs auth with sshKeyFile and knownHostsFile");
    for (const key of ["tokenFile", "tokenEnv", "githubApp"] as const) {
      if (auth[key] !== undefined) report(own(key), "is for https addresses", "SSH enters with a key: sshKeyFile");
    }
    for (const key of ["caFile", "proxy"] as const) {
      if (access[key] !== undefined) report([...path, key], "is for https addresses");
    }
  } else if (auth.sshKeyFile !== undefined) {
    report(own("sshKeyFile"), "is for ssh addresses", "as in ssh://git@gitea.example.com/platform/gitops.git");
  }
  if (auth.sshKeyFile !== undefined && auth.knownHostsFile === undefined) {
    report(own("sshKeyFile"), "needs knownHostsFile: no server is trusted unseen", "ssh-keyscan shows a server's keys");
  }
  for (const key of ["knownHostsFile", "passphraseFile"] as const) {
    if (auth[key] !== undefined && auth.sshKeyFile === undefined) report(own(key), "goes with sshKeyFile");
  }
  const hasToken = auth.tokenFile !== undefined || auth.tokenEnv !== undefined;
  for (const key of ["username", "scheme"] as const) {
    if (auth[key] !== undefined && !hasToken) report(own(key), "goes with tokenFile or tokenEnv");
  }
  if (auth.scheme === "bearer" && auth.username !== undefined) {
    report(own("username"), "goes with basic authentication", "remove it, or scheme");
  }
}
