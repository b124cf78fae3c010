/** Git's short SSH form: `git@host:owner/name.git`. */
const SCP_FORM = /^(?:[^@/:]+@)?([^@/:]+):(?!\/)(.+)$/;

/**
 * The form in which two addresses of one repository are equal: `host[:port]/path`, host in lower case, without user,
 * scheme, `.git` and trailing slashes; ssh and https name the same repository when host and path are equal.
 */
export function normalizeRepositoryUrl(url: string): string {
  const trimmed = url.trim();
  const scp = trimmed.includes("://") ? null : SCP_FORM.exec(trimmed);
  if (scp !== null) return join(scp[1] ?? "", scp[2] ?? "");
  let parsed: URL;
  try {
    parsed = new URL(trimmed);
  } catch {
    return cleanPath(trimmed);
  }
  // The port of an SSH server says nothing about the web server beside it; WHATWG drops 80 and 443 by itself.
  const port = parsed.protocol === "ssh:" || parsed.port === "" ? "" : `:${parsed.port}`;
  return join(`${parsed.hostname}${port}`, decoded(parsed.pathname));
}

export function isSameRepository(a: string, b: string): boolean {
  return normalizeRepositoryUrl(a) === normalizeRepositoryUrl(b);
}

function join(host: string, path: string): string {
  return `${host.toLowerCase()}/${cleanPath(path)}`;
}

function cleanPath(path: string): string {
  return path
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")
    .replace(/^\/+|\/+$/g, "")
    .replace(/\/{2,}/g, "/");
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
