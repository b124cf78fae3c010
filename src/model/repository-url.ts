/** Git's short SSH form: `git@host:owner/name.git`. */
const SHORT_SSH = /^(?:[^@/:]+@)?(?<host>[^@/:]+):(?!\/)(?<path>.+)$/;

/**
 * The form in which two addresses of one repository are equal: `host[:port]/path`. Scheme, user, query, `.git`, slashes
 * at the end and the case of the host say nothing about which repository it is; the port does, except SSH's.
 */
export function repositoryKey(url: string): string {
  const text = url.trim();
  const short = text.includes("://") ? undefined : SHORT_SSH.exec(text)?.groups;
  if (short !== undefined) return keyOf(short.host ?? "", short.path ?? "");
  if (!URL.canParse(text)) return cleanPath(text);
  const { protocol, hostname, port, pathname } = new URL(text);
  return keyOf(protocol === "ssh:" || port === "" ? hostname : `${hostname}:${port}`, pathname);
}

export function isSameRepository(a: string, b: string): boolean {
  return repositoryKey(a) === repositoryKey(b);
}

function keyOf(host: string, path: string): string {
  return `${host.toLowerCase()}/${cleanPath(path)}`;
}

function cleanPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.join("/").replace(/\.git$/, "");
}
