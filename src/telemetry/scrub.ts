/** Names whose values are never logged, compared without case, dashes and underscores. */
const SECRET_NAMES = ["authorization", "token", "password", "passwd", "secret", "cookie", "privatekey", "apikey"];
const CENSORED = "[redacted]";
const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_TEXT = 4_000;
// RFC 3986 userinfo of any URL inside a text: `https://user:pass@host` becomes `https://host`.
const USERINFO = /:\/\/[^\s/?#"']*@/g;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
const OWN_TOKEN = /\bgsp_[\w-]{16,}/g;

/** Takes credentials out of a text: userinfo of URLs, Authorization values and our own tokens. */
function scrubText(text: string): string {
  const clean = text.replace(USERINFO, "://").replace(BEARER, `$1 ${CENSORED}`).replace(OWN_TOKEN, `gsp_${CENSORED}`);
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}... (${clean.length} characters)` : clean;
}

/**
 * A copy of log fields that is safe to write: secrets are censored by name at every depth, credentials in texts are
 * taken out, errors become plain objects with their causes, cycles and depth are cut.
 */
export function scrub(fields: Record<string, unknown>): Record<string, unknown> {
  return scrubObject(fields, [], 0);
}

function scrubValue(value: unknown, seen: readonly object[], depth: number): unknown {
  if (typeof value === "string") return scrubText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (seen.includes(value)) return "[circular]";
  if (depth >= MAX_DEPTH) return "[too deep]";
  const path = [...seen, value];
  if (value instanceof Error) return scrubError(value, path, depth + 1);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof URL) return scrubText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return scrubList(value, path, depth + 1);
  if (value instanceof Map) return scrubObject(Object.fromEntries(value), path, depth + 1);
  if (value instanceof Set) return scrubList([...value], path, depth + 1);
  return scrubObject(value, path, depth + 1);
}

function scrubObject(object: object, seen: readonly object[], depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    clean[key] = isSecretName(key) && value !== undefined ? CENSORED : scrubValue(value, seen, depth);
  }
  return clean;
}

function scrubList(list: readonly unknown[], seen: readonly object[], depth: number): unknown[] {
  const clean = list.slice(0, MAX_ITEMS).map((item) => scrubValue(item, seen, depth));
  return list.length > MAX_ITEMS ? [...clean, `... ${list.length - MAX_ITEMS} more`] : clean;
}

/** Only what errors are known to carry: HTTP clients hang whole requests, with their headers, on theirs. */
function scrubError(
  error: Error & { code?: unknown; hint?: unknown },
  seen: readonly object[],
  depth: number,
): unknown {
  return {
    type: error.name,
    message: scrubText(error.message),
    ...(typeof error.code === "string" ? { code: error.code } : {}),
    ...(typeof error.hint === "string" ? { hint: scrubText(error.hint) } : {}),
    ...(error.stack === undefined ? {} : { stack: scrubText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: scrubValue(error.cause, seen, depth) }),
    ...(error instanceof AggregateError ? { errors: scrubList(error.errors, seen, depth) } : {}),
  };
}

/** `tokenFile` and `tokenName` say where a secret is, not what it is. */
function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  return SECRET_NAMES.some((secret) => plain === secret || plain === `${secret}s` || plain.endsWith(secret));
}
