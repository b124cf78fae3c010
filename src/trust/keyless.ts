import { createHash } from "node:crypto";
import type { TransparencyLogEntry } from "@sigstore/bundle";
import type { SignedEntity, Signer, TrustMaterial } from "@sigstore/verify";
import { GitspanError, messageOf } from "../model/errors.ts";
import { matchesPattern } from "../model/match.ts";
import { derOf, type SignedDocument } from "./document.ts";

type Verify = (entity: SignedEntity, now: number) => Signer;

export interface KeylessOptions {
  identities: readonly { issuer: string; subject: string }[];
  /** Text of Sigstore's trusted root (JSON), or else of certificates (PEM); the file names it in errors. */
  root: { kind: "trusted-root" | "ca"; text: string; file: string };
}

/** Tells whose certificate signed a document; `undefined` with the reason when nobody's who counts did. */
export type KeylessVerifier = (document: SignedDocument, now: number) => { signer?: string; why: string };

/**
 * Signatures of identities instead of keys. With a trusted root the certificate, its log entry and the time of signing
 * are proven, offline; with a certificate authority of one's own the certificate must be valid now.
 * Throws `config-invalid` for a root that cannot be read.
 */
export async function keylessVerifier({ identities, root }: KeylessOptions): Promise<KeylessVerifier> {
  const [{ bundleFromJSON }, { toSignedEntity }] = await Promise.all([
    import("@sigstore/bundle"),
    import("@sigstore/verify"),
  ]);
  const verify = root.kind === "ca" ? await byAuthority(root) : await byTrustedRoot(root);
  return (document, now) => {
    if (document.certificate === undefined) return { why: "it was signed by a key" };
    try {
      const { identity } = verify(toSignedEntity(bundleFromJSON(bundleOf(document)), document.payload), now);
      const subject = identity?.subjectAlternativeName ?? "";
      const issuer = identity?.extensions?.issuer ?? "";
      const isKnown = identities.some((one) => one.issuer === issuer && matchesPattern(one.subject, subject));
      const name = `identity ${subject} (${issuer})`.slice(0, 300);
      return isKnown ? { signer: name, why: "" } : { why: `it was signed by ${name}, who is not trusted` };
    } catch (error) {
      return { why: messageOf(error).slice(0, 200) };
    }
  };
}

/** Made anew of what was read, so that nothing else can be verified than what is believed afterwards. */
function bundleOf({ certificate, payload, payloadType, signatures }: SignedDocument): unknown {
  const [signature = Buffer.alloc(0)] = signatures;
  const sig = signature.toString("base64");
  const content =
    payloadType === undefined
      ? { messageSignature: { messageDigest: { algorithm: "SHA2_256", digest: sha256Of(payload) }, signature: sig } }
      : { dsseEnvelope: { payloadType, payload: payload.toString("base64"), signatures: [{ sig, keyid: "" }] } };
  return { mediaType: certificate?.mediaType, verificationMaterial: certificate?.material, ...content };
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}

async function byTrustedRoot(root: KeylessOptions["root"]): Promise<Verify> {
  const { Verifier } = await import("@sigstore/verify");
  const verifier = new Verifier(await materialOf(root, () => JSON.parse(root.text)));
  return (entity) => verifier.verify(entity);
}

async function byAuthority(root: KeylessOptions["root"]): Promise<Verify> {
  const { Verifier } = await import("@sigstore/verify");
  const material = await materialOf(root, () => {
    const certificates = derOf(root.text).map((rawBytes) => ({ rawBytes }));
    if (certificates.length === 0) throw new Error("there is no certificate in it");
    return { certificateAuthorities: [{ certChain: { certificates } }] };
  });
  const verifier = new Verifier(material, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 1 });
  // Nothing proves when it was signed: what counts is that the certificate is valid when we look.
  return (entity, now) => verifier.verify({ ...entity, tlogEntries: [], timestamps: [seenAt(now)] });
}

async function materialOf(root: KeylessOptions["root"], json: () => unknown): Promise<TrustMaterial> {
  const [{ TrustedRoot }, { toTrustMaterial }] = await Promise.all([
    import("@sigstore/protobuf-specs"),
    import("@sigstore/verify"),
  ]);
  try {
    const material = toTrustMaterial(TrustedRoot.fromJSON(json()));
    if (material.certificateAuthorities.length > 0) return material;
  } catch {
    // Said below in words that fit the file.
  }
  const wanted = root.kind === "ca" ? "certificates in PEM form" : "Sigstore's trusted root (trusted_root.json)";
  throw new GitspanError("config-invalid", `${root.file} does not hold ${wanted}`, {
    hint: "Check `trust.keyless` and the file.",
  });
}

/** An observer's time in the form that the library reads times in. */
function seenAt(now: number): SignedEntity["timestamps"][number] {
  const nothing = Buffer.alloc(0);
  const tlogEntry: TransparencyLogEntry = {
    logIndex: "0",
    logId: { keyId: nothing },
    kindVersion: { kind: "", version: "" },
    integratedTime: String(Math.floor(now / 1_000)),
    inclusionPromise: { signedEntryTimestamp: nothing },
    inclusionProof: undefined,
    canonicalizedBody: nothing,
  };
  return { $case: "transparency-log", tlogEntry };
}
