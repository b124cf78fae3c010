/** What a JSON Web Token says of itself. Nobody has checked it yet: good for choosing who checks, and for nothing else. */
export interface Unverified {
  issuer: string;
  audiences: string[];
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** As RFC 7519: three parts of base64url with dots between. A larger one does not fit into a request's headers. */
const FORM = /^[\w-]{2,}\.([\w-]{2,})\.[\w-]{2,}$/;
const LONGEST = 16 * 1024;

/** Undefined for what is no JSON Web Token with an issuer and an end. */
export function unverified(token: string): Unverified | undefined {
  const payload = token.length > LONGEST ? undefined : FORM.exec(token)?.[1];
  if (payload === undefined) return undefined;
  const claims = parsed(Buffer.from(payload, "base64url").toString("utf8"));
  const [issuer, audience, end] = ["iss", "aud", "exp"].map((name) => member(claims, name));
  if (typeof issuer !== "string" || typeof end !== "number" || !Number.isFinite(end)) return undefined;
  const audiences = [audience].flat().filter((each) => typeof each === "string");
  return { issuer, audiences, expiresAt: end * 1_000 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
