import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { GitspanError } from "../model/errors.ts";

/** A public key whose signatures count. */
export interface PinnedKey {
  /** `key sha256:` and the first 16 digits of the hash of its DER form. */
  name: string;
  key: KeyObject;
}

const BLOCK = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;
const MAX_KEYS = 16;

/** The keys of a PEM file, one or several. Throws `config-invalid` for a file that holds anything else. */
export function parseKeys(pem: string, file: string): PinnedKey[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0 || pem.replaceAll(BLOCK, "").trim() !== "")
    throw invalid(file, "is no public key in PEM form");
  if (blocks.length > MAX_KEYS) throw invalid(file, `has more than ${MAX_KEYS} keys`);
  return blocks.map((block) => pinned(keyOf(block, file), file));
}

/** Whether the key made this signature; ECDSA signatures are in DER form, over SHA-256. */
export function isSignedWith({ key }: PinnedKey, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", signed, key, signature);
  } catch {
    // Bytes that are no signature at all.
    return false;
  }
}

function keyOf(block: string, file: string): KeyObject {
  try {
    return createPublicKey(block);
  } catch {
    throw invalid(file, "is no public key in PEM form");
  }
}

function pinned(key: KeyObject, file: string): PinnedKey {
  const isP256 = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  if (!isP256 && key.asymmetricKeyType !== "ed25519")
    throw invalid(file, "is neither an ECDSA P-256 nor an ed25519 key");
  const hash = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
  return { name: `key sha256:${hash.slice(0, 16)}`, key };
}

function invalid(file: string, why: string): GitspanError {
  return new GitspanError("config-invalid", `the public key ${file} ${why}`, {
    hint: "Use the cosign.pub that belongs to the signing key.",
  });
}
