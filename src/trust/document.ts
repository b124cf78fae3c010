import { z } from "zod";

/** Who signed, by a certificate instead of a key: what a Sigstore bundle has as `verificationMaterial`. */
export interface CertificateMaterial {
  /** Of the bundle: its version decides what must be in it. */
  mediaType: string;
  material: unknown;
}

/** Something with signatures on it, wherever it lay. Nothing of it is believed yet. */
export interface SignedDocument {
  where: string;
  /** Of a DSSE envelope; absent: the payload is signed as it is (cosign's simple signing). */
  payloadType?: string;
  payload: Buffer;
  signatures: Buffer[];
  certificate?: CertificateMaterial;
}

export interface BrokenDocument {
  where: string;
  why: string;
}

type Annotations = Readonly<Record<string, string>>;
type Read = SignedDocument | BrokenDocument;

/** Each is tried with every key. */
const MAX_SIGNATURES = 8;

const base64 = z.string().transform((text) => Buffer.from(text, "base64"));
const envelope = z.object({
  payloadType: z.string().max(200),
  payload: base64,
  signatures: z.array(z.object({ sig: base64 })).max(MAX_SIGNATURES),
});
const bundle = z.object({
  mediaType: z.string(),
  verificationMaterial: z.looseObject({ publicKey: z.unknown().optional() }),
  dsseEnvelope: envelope,
});
// github.com/sigstore/cosign, pkg/cosign/bundle/rekor.go
const rekorBundle = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({
    body: z.string(),
    integratedTime: z.number(),
    logIndex: z.number(),
    logID: z.string().regex(/^[0-9a-f]+$/),
  }),
});
const entryBody = z.object({ kind: z.string(), apiVersion: z.string() });

/** A layer of a `.sig` tag: the payload is the layer, its signature an annotation (cosign, specs/SIGNATURE_SPEC.md). */
export function readPayload(where: string, bytes: Buffer, annotations: Annotations): Read {
  const signature = annotations["dev.cosignproject.cosign/signature"] ?? "";
  if (signature === "") return { where, why: "it has no signature" };
  return { where, payload: bytes, signatures: [Buffer.from(signature, "base64")], ...certificateIn(annotations) };
}

/** A layer of a `.att` tag: a DSSE envelope. */
export function readEnvelope(where: string, bytes: Buffer, annotations: Annotations): Read {
  const parsed = envelope.safeParse(jsonOf(bytes.toString("utf8")));
  if (!parsed.success) return { where, why: "it is no DSSE envelope" };
  return { ...envelopeOf(where, parsed.data), ...certificateIn(annotations) };
}

/** A Sigstore bundle around a DSSE envelope. */
export function readBundle(where: string, bytes: Buffer): Read {
  const parsed = bundle.safeParse(jsonOf(bytes.toString("utf8")));
  if (!parsed.success) return { where, why: "it is no Sigstore bundle with a DSSE envelope" };
  const { mediaType, verificationMaterial, dsseEnvelope } = parsed.data;
  const document = envelopeOf(where, dsseEnvelope);
  if (verificationMaterial.publicKey !== undefined) return document;
  return { ...document, certificate: { mediaType, material: verificationMaterial } };
}

function envelopeOf(where: string, { payloadType, payload, signatures }: z.output<typeof envelope>): SignedDocument {
  return { where, payloadType, payload, signatures: signatures.map(({ sig }) => sig) };
}

/** Older cosign and Tekton Chains keep the certificate and the log entry in annotations: put as a bundle has them. */
function certificateIn(annotations: Annotations): { certificate?: CertificateMaterial } {
  const pem = annotations["dev.sigstore.cosign/certificate"] ?? "";
  const [rawBytes] = derOf(pem);
  if (rawBytes === undefined) return {};
  const entry = logEntryOf(annotations["dev.sigstore.cosign/bundle"]);
  // Version 0.1 wants a promise of inclusion with each entry, which is what is kept here; without one 0.3 will do.
  const mediaType = `application/vnd.dev.sigstore.bundle${entry === undefined ? ".v0.3+json" : "+json;version=0.1"}`;
  const material =
    entry === undefined
      ? { certificate: { rawBytes }, tlogEntries: [] }
      : { x509CertificateChain: { certificates: [{ rawBytes }] }, tlogEntries: [entry] };
  return { certificate: { mediaType, material } };
}

function logEntryOf(annotation: string | undefined): unknown {
  const parsed = rekorBundle.safeParse(jsonOf(annotation ?? ""));
  if (!parsed.success) return undefined;
  const { SignedEntryTimestamp, Payload } = parsed.data;
  const body = entryBody.safeParse(jsonOf(Buffer.from(Payload.body, "base64").toString("utf8")));
  if (!body.success) return undefined;
  return {
    logIndex: String(Payload.logIndex),
    logId: { keyId: Buffer.from(Payload.logID, "hex").toString("base64") },
    kindVersion: { kind: body.data.kind, version: body.data.apiVersion },
    integratedTime: String(Payload.integratedTime),
    inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
    canonicalizedBody: Payload.body,
  };
}

/** The certificates of a PEM text as base64 of their DER. */
export function derOf(pem: string): string[] {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = ""]) => body.replaceAll(/\s/g, ""));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
