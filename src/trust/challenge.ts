/** How a registry wants its callers to show who they are. */
export type Challenge =
  | { scheme: "basic" }
  /** Where a token is asked for, and for which service. */
  | { scheme: "bearer"; realm: string; service: string | undefined };

const MAX_HEADER = 4_096;
// RFC 9110 section 11.2: a parameter is a token or a quoted string.
const PARAMETER = /([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** A `WWW-Authenticate` header; undefined for a scheme that is not known, or a Bearer that names no realm. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const [, scheme, rest] = /^\s*(\w+)\s*(.*)$/s.exec((header ?? "").slice(0, MAX_HEADER)) ?? [];
  if (scheme?.toLowerCase() === "basic") return { scheme: "basic" };
  if (scheme?.toLowerCase() !== "bearer") return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain] of (rest ?? "").matchAll(PARAMETER)) {
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain ?? "");
  }
  const realm = parameters.get("realm");
  return realm === undefined ? undefined : { scheme: "bearer", realm, service: parameters.get("service") };
}
