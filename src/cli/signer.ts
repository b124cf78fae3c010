import { isLongEnough, SIGNATURE_HEADER, SIGNATURE_KEY_HEADER, signBody } from "../config/signatures.ts";
import { GitspanError, messageOf } from "../model/errors.ts";
import type { Io } from "./io.ts";

/** The headers that sign a body now; every attempt is signed anew, as a signature is good for minutes only. */
export type Signer = (body: string) => Record<string, string>;

/** Undefined when nothing is to be signed. Throws `usage` when something is missing or unusable. */
export async function resolveSigner(
  io: Io,
  options: { signKey?: string | undefined; signSecretFile?: string | undefined },
): Promise<Signer | undefined> {
  const { signKey, signSecretFile } = options;
  if (signKey === undefined && signSecretFile === undefined) return undefined;
  if (signKey === undefined || signSecretFile === undefined) {
    throw new GitspanError("usage", "a signature needs --sign-key and --sign-secret-file");
  }
  if (!/^[\x21-\x7e]+$/.test(signKey))
    throw new GitspanError("usage", "the key's name has characters that no name has");
  const secret = await readSecret(signSecretFile);
  return (body) => ({
    [SIGNATURE_KEY_HEADER]: signKey,
    [SIGNATURE_HEADER]: signBody(secret, Buffer.from(body), io.clock.now()),
  });
}

async function readSecret(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    const secret = (await readFile(file, "utf8")).trim();
    if (isLongEnough(secret)) return secret;
  } catch (error) {
    throw new GitspanError("usage", `the secret cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new GitspanError("usage", "the secret is shorter than 16 bytes, which no server takes");
}
