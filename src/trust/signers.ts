import type { TrustPolicy } from "../model/trust.ts";
import type { SignerOf } from "./decide.ts";
import type { SignedDocument } from "./document.ts";
import { keylessVerifier } from "./keyless.ts";
import { isSignedWith, parseKeys } from "./keys.ts";

/** The text of a file of the policy; rejects with `config-unreadable`. */
export type ReadFile = (file: string) => Promise<string>;

/**
 * Who counts by a policy. Its files are read anew, so that a key that was replaced counts at once. Throws
 * `config-unreadable` and `config-invalid`. `now` in milliseconds.
 */
export async function signersOf(
  { keyFiles, keyless }: Pick<TrustPolicy, "keyFiles" | "keyless">,
  readFile: ReadFile,
  now: number,
): Promise<SignerOf> {
  const keys = (await Promise.all(keyFiles.map(async (file) => parseKeys(await readFile(file), file)))).flat();
  const byCertificate = await certificatesOf(keyless, readFile);
  return (document) => {
    const signed = signedBytes(document);
    // The key id in the envelope is not signed: every key is tried on every signature.
    const key = keys.find((one) => document.signatures.some((signature) => isSignedWith(one, signed, signature)));
    if (key !== undefined) return { signer: key.name, why: "" };
    const why = document.signatures.length === 0 ? "it has no signature" : "no trusted key made its signature";
    return byCertificate === undefined || document.certificate === undefined ? { why } : byCertificate(document, now);
  };
}

async function certificatesOf(keyless: TrustPolicy["keyless"], readFile: ReadFile) {
  const { identities = [], trustedRootFile, caFile } = keyless ?? {};
  const file = trustedRootFile ?? caFile;
  if (file === undefined) return undefined;
  const kind = trustedRootFile === undefined ? "ca" : "trusted-root";
  return await keylessVerifier({ identities, root: { kind, text: await readFile(file), file } });
}

/** The payload itself, or what DSSE signs of it (github.com/secure-systems-lab/dsse, protocol.md: PAE). */
function signedBytes({ payload, payloadType }: SignedDocument): Buffer {
  if (payloadType === undefined) return payload;
  const type = Buffer.from(payloadType, "utf8");
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}
