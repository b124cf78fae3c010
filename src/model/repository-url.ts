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

/**
 * The address of a repository by a pattern of addresses, `https://git.example.com/shop/*` or one that is exact; undefined
 * when the pattern does not cover it. Scheme, user and host come from the pattern, never from the address that is looked for.
 */
export function addressBy(pattern: string, url: string): string | undefined {
  if (!pattern.endsWith("/*")) return isSameRepository(pattern, url) ? pattern : undefined;
  const base = pattern.slice(0, -2);
  const prefix = repositoryKey(base).replace(/\/?$/, "/");
  const key = repositoryKey(url);
  const rest = key.startsWith(prefix) ? key.slice(prefix.length) : "";
  // Nothing that could climb out of the pattern, or be taken for something else than a name.
  return /^(?![.-])[\w.-]+(?:\/(?![.-])[\w.-]+)*$/.test(rest) ? `${base}/${rest}.git` : undefined;
}

function keyOf(host: string, path: string): string {
  return `${host.toLowerCase()}/${cleanPath(path)}`;
}

function cleanPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.join("/").replace(/\.git$/, "");
}
