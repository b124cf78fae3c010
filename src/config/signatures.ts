import { createHmac, timingSafeEqual } from "node:crypto";
import { messageOf } from "../model/errors.ts";
import type { Configuration, SecretReference } from "./configuration.ts";
import { resolveSecret } from "./secrets.ts";

export const SIGNATURE_HEADER = "gitspan-signature";
export const SIGNATURE_KEY_HEADER = "gitspan-key";

/** How far the signer's clock may be from ours, both ways; the window in which a recorded request could be repeated. */
const WINDOW_MS = 5 * 60_000;
/** RFC 2104 section 3 asks for no less than the hash's length; shorter than this can be guessed. */
const MIN_SECRET_BYTES = 16;
const FORM = /^t=(\d{1,12})((?:,v1=[0-9a-fA-F]{64}){1,4})$/;
/** Computed with when there is no secret, so that an unknown key takes as long as a known one. */
const NO_SECRET = "no secret at all";

/** A `Gitspan-Signature` header: when it was made, and one value or more (a sender may sign with two keys at once). */
export interface Signature {
  /** As it was written: it is part of what is signed. */
  time: string;
  values: readonly Uint8Array[];
}

/** `t=<unix seconds>,v1=<hex>[,v1=<hex>...]`; undefined for anything else. */
export function parseSignature(header: string): Signature | undefined {
  const [, time, values] = FORM.exec(header) ?? [];
  if (time === undefined || values === undefined) return undefined;
  const parts = values.split(",v1=").slice(1);
  return { time, values: parts.map((hex) => Buffer.from(hex, "hex")) };
}

/** `now` in milliseconds. */
export function isRecent(signature: Signature, now: number): boolean {
  return Math.abs(Number(signature.time) * 1_000 - now) <= WINDOW_MS;
}

/** Whether one of the values was made of these bytes with one of the secrets. Every pair is compared, in constant time. */
export function isSignedBy(signature: Signature, body: Uint8Array, secrets: readonly string[]): boolean {
  let found = false;
  for (const secret of secrets.length > 0 ? secrets : [NO_SECRET]) {
    const wanted = valueOf(secret, signature.time, body);
    for (const value of signature.values) {
      if (timingSafeEqual(value, wanted)) found = true;
    }
  }
  return found && secrets.length > 0;
}

/** The header for a body that is sent now; `now` in milliseconds. */
export function signBody(secret: string, body: Uint8Array, now: number): string {
  const time = String(Math.floor(now / 1_000));
  return `t=${time},v1=${valueOf(secret, time, body).toString("hex")}`;
}

export function isLongEnough(secret: string): boolean {
  return Buffer.byteLength(secret) >= MIN_SECRET_BYTES;
}

/** The secrets of a key that are valid now; none when there is no such key. They are read on each call. */
export async function secretsOfKey(
  configuration: Pick<Configuration, "signatures">,
  key: string,
  log: { error(message: string, fields: Record<string, unknown>): void },
): Promise<string[]> {
  const references = configuration.signatures.get(key) ?? [];
  return await readSignatureSecrets(references, (reason) =>
    log.error("a secret of signed requests cannot be used", { key, reason }),
  );
}

/** What the references hold now and can be used; what cannot is reported and left out, so that the other key works on. */
async function readSignatureSecrets(
  references: readonly SecretReference[],
  report: (reason: string) => void,
): Promise<string[]> {
  const found = await Promise.all(
    references.map(async (reference) => {
      try {
        const secret = await resolveSecret(reference);
        if (isLongEnough(secret)) return [secret];
        report(`a signature secret is shorter than ${MIN_SECRET_BYTES} bytes`);
      } catch (error) {
        report(messageOf(error));
      }
      return [];
    }),
  );
  return found.flat();
}

function valueOf(secret: string, time: string, body: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(`${time}.`).update(body).digest();
}
