import type { Run, Source } from "./build.ts";
import type { Digest } from "./image.ts";

/** Which SLSA provenance an environment wants: of the run's Task or of the whole run (Tekton), of anything, or none. */
export const PROVENANCE = ["taskrun", "pipelinerun", "any", "none"] as const;
export type ProvenanceKind = (typeof PROVENANCE)[number];

/** Certificates in the place of keys: who may be named in them, and what they have to chain to. */
export interface KeylessSigners {
  identities: { issuer: string; subject: string }[];
  /** Sigstore's trusted root (JSON): certificate, log entry and time are all proven, offline. */
  trustedRootFile?: string;
  /** A certificate authority of one's own (PEM), without a log: the certificate must be valid when it is looked at. */
  caFile?: string;
}

/** What must be proven of an image before it is written; paths are absolute. */
export interface TrustPolicy {
  /** Public keys (PEM, ECDSA P-256 or ed25519); any of them will do, so that one can follow another. */
  keyFiles: string[];
  keyless?: KeylessSigners;
  /** Whether the image itself must be signed. */
  signature: boolean;
  provenance: ProvenanceKind;
  /** Of the provenance; `*` stands for any text. */
  builders: string[];
  buildTypes: string[];
  /** The provenance's source repository and commit are the build's. */
  matchSource: boolean;
  /** The provenance's run is the build's. */
  matchRun: boolean;
  /** How long ago the build may have finished; milliseconds. */
  maxAgeMs?: number;
  /** How long after its arrival a delivery waits for what is not there yet; milliseconds. */
  waitMs: number;
}

export interface TrustQuestion {
  image: { repository: string; digest: Digest };
  policy: TrustPolicy;
  /** What the build says of itself; absent where nobody says it. */
  source?: Pick<Source, "repository" | "commit">;
  run?: Pick<Run, "uid" | "taskUids">;
  /** Database time, milliseconds. */
  now: number;
}

/** One document that was found beside the image, and what it is worth. */
export interface TrustEvidence {
  what: "signature" | "provenance" | "other";
  /** Where it lay: the tag or manifest, and the document's digest. */
  where: string;
  /** `key sha256:...` or `identity SUBJECT (ISSUER)`; absent: by nobody who counts. */
  signer?: string;
  /** It proves what the policy wants. */
  counts: boolean;
  says: string;
}

export interface TrustDecision {
  proven: boolean;
  /** One sentence: by whom it is proven, or what is missing. */
  message: string;
  /** Whose signatures prove it; none when it is not proven. */
  signers: string[];
  evidence: TrustEvidence[];
}

/** What a delivery keeps of the decision that let it pass. */
export interface TrustRecord {
  /**
   * The policies that it satisfies, as texts, the newest last: under any other it is made again. Several,
   * so that replicas that are told different ones do not take it from each other for ever.
   */
  policies: string[];
  /** Database time, milliseconds. */
  at: number;
  images: { repository: string; digest: Digest; signers: string[]; evidence: TrustEvidence[] }[];
}

/** How many documents a decision quotes. */
export const MAX_EVIDENCE = 20;

const MAX_POLICIES = 10;

export function isProvenUnder({ policies }: TrustRecord, policy: TrustPolicy): boolean {
  return policies.includes(policyText(policy));
}

/** The policies of a record, and one more. */
export function withPolicy(policies: readonly string[], policy: TrustPolicy): string[] {
  const text = policyText(policy);
  return [...policies.filter((one) => one !== text), text].slice(-MAX_POLICIES);
}

/** A text, as a store may not keep the order of an object's keys. */
function policyText(policy: TrustPolicy): string {
  return JSON.stringify(policy);
}
