import { createHash, randomBytes } from "node:crypto";

const PREFIX = "gsp_";
const SECRET_BYTES = 32;
const TOKEN = /^gsp_[A-Za-z0-9_-]{43}$/;

/** A token as its owner has it, and the hash of it that is stored. */
export interface MintedToken {
  token: string;
  hash: string;
}

/** A new bearer token: `gsp_` and 256 bits of the system's randomness. Show it once; keep only the hash. */
export function mintToken(random: (bytes: number) => Uint8Array = randomBytes): MintedToken {
  const token = PREFIX + Buffer.from(random(SECRET_BYTES)).toString("base64url");
  return { token, hash: hashToken(token) };
}

/** True for texts that can be a token at all. */
export function isTokenFormat(text: string): boolean {
  return TOKEN.test(text);
}

/** Hexadecimal SHA-256. No salt and no stretching: the secret is random, so there is nothing to guess. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
