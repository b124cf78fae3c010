import { GitspanError } from "../model/errors.ts";
import type { Credentials } from "./http-transport.ts";

export interface SshLocation {
  kind: "ssh";
  /** `ssh://user@host:port/path`: for messages, and for the names of services at its end. */
  url: string;
  user: string;
  host: string;
  port: number;
  /** As the server's git gets it: `/srv/a.git`, or without a slash below the user's own folder. */
  path: string;
}

export interface HttpLocation {
  kind: "http";
  /** Without user information. */
  url: string;
  credentials?: Credentials;
}

export const SSH_PORT = 22;
const DEFAULT_USER = "git";
/** Git's short form, `git@host:owner/name.git`, whose path is relative (git-clone(1), "GIT URLS"). */
const SHORT = /^(?:(?<user>[^@/:]+)@)?(?<host>\[[^\]]+\]|[^@/:]+):(?!\/\/)(?<path>.+)$/;

/**
 * Where a repository is, from its address.
 * @throws GitspanError git-unsupported; without showing the address, which may hold a password
 */
export function locationOf(text: string): HttpLocation | SshLocation {
  const short = text.includes("://") ? undefined : SHORT.exec(text)?.groups;
  if (short !== undefined) return ssh(short.user ?? "", short.host ?? "", SSH_PORT, short.path ?? "");
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === "ssh:" && parsed.password === "") {
    const path = decodeURIComponent(parsed.pathname).replace(/\/+$/, "");
    const port = parsed.port === "" ? SSH_PORT : Number(parsed.port);
    // `/~user/…` is meant as `~user/…` (git's connect.c, parse_connect_url).
    return ssh(decodeURIComponent(parsed.username), parsed.hostname, port, path.replace(/^\/(?=~)/, ""));
  }
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw unsupported();
  const { username, password, origin, pathname } = parsed;
  const url = origin + pathname.replace(/\/+$/, "");
  if (username === "" && password === "") return { kind: "http", url };
  const credentials = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  return { kind: "http", url, credentials };
}

function ssh(user: string, hostname: string, port: number, path: string): SshLocation {
  // A path that begins with a dash would be an option to the server's git.
  if (path === "" || path === "/" || path.startsWith("-") || /\p{Cc}/u.test(path)) throw unsupported();
  const who = user === "" ? DEFAULT_USER : user;
  const host = hostname.replace(/^\[|\]$/g, "");
  const shown = host.includes(":") ? `[${host}]` : host;
  const url = `ssh://${who}@${shown}${port === SSH_PORT ? "" : `:${port}`}/${encodeURI(path.replace(/^\//, ""))}`;
  return { kind: "ssh", url, user: who, host, port, path };
}

function unsupported(): GitspanError {
  return new GitspanError("git-unsupported", "only http, https and ssh addresses of Git repositories are supported", {
    hint: "write the repository's address as https://host/path.git, ssh://git@host/path.git or git@host:path.git",
  });
}
