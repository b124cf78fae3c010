import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { GitspanError } from "../model/errors.ts";

const MAGIC = Buffer.from("openssh-key-v1\0");
/** PKCS#8 of an ed25519 key up to its seed (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519 = "ssh-ed25519";
const SEED_BYTES = 32;

/**
 * An ed25519 private key as ssh-keygen writes it (openssh's PROTOCOL.key), or as PKCS#8 in PEM form.
 * @throws GitspanError git-unsupported for other kinds and for locked keys; never with anything of the key
 */
export function readSigningKey(text: string): KeyObject {
  const openssh = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  const key = openssh === undefined ? fromPem(text) : fromOpenSsh(Buffer.from(openssh, "base64"));
  if (key?.asymmetricKeyType !== "ed25519") throw unusable("it is no ed25519 key");
  return key;
}

/** The public key as it goes over the wire. */
export function publicBlobOf(key: KeyObject): Buffer {
  // The last 32 bytes of the SubjectPublicKeyInfo are the key (RFC 8410 section 4).
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return Buffer.concat([field(ED25519), field(der.subarray(-SEED_BYTES))]);
}

/** A string of the SSH protocol: its length in four bytes, then its bytes (RFC 4251 section 5). */
export function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function fromPem(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    // Without the library's words: they may quote the file.
    return undefined;
  }
}

function fromOpenSsh(bytes: Buffer): KeyObject | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw unusable("it is damaged");
  const outer = fieldsOf(bytes.subarray(MAGIC.length));
  const [cipher] = [outer.next(), outer.next(), outer.next()];
  if (cipher?.toString() !== "none") throw unusable("it is locked by a passphrase");
  if (outer.number() !== 1) throw unusable("its file holds several keys");
  outer.next();
  const inner = fieldsOf(outer.next());
  // Twice the same number shows that a locked key was unlocked rightly.
  inner.number();
  inner.number();
  if (inner.next().toString() !== ED25519) return undefined;
  inner.next();
  const seed = inner.next().subarray(0, SEED_BYTES);
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}

function fieldsOf(bytes: Buffer): { next: () => Buffer; number: () => number } {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw unusable("it is damaged");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (): number => take(4).readUInt32BE(0);
  return { number, next: () => take(number()) };
}

function unusable(why: string): GitspanError {
  return new GitspanError("git-unsupported", `the key that is to sign commits cannot be used: ${why}`, {
    hint: `make one with "ssh-keygen -t ed25519 -N '' -f signing-key" and mount its private half`,
  });
}
