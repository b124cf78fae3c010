import { MAX_EVIDENCE, type TrustDecision, type TrustEvidence, type TrustQuestion } from "../model/trust.ts";
import type { SignedDocument } from "./document.ts";
import type { FoundDocuments } from "./documents.ts";
import { cut, judge, kindOf, OF_A_TASK } from "./reading.ts";

/** Whose signature is on a document: nobody's who counts, and why, when there is no `signer`. */
export type SignerOf = (document: SignedDocument) => { signer?: string; why: string };

/**
 * What the documents prove. One that satisfies everything is enough for the signature, and one for the provenance:
 * what others put beside it neither helps nor hurts.
 */
export function decide(question: TrustQuestion, found: FoundDocuments, signerOf: SignerOf): TrustDecision {
  const evidence = found.signed.map((document) => evidenceOf(question, document, signerOf));
  for (const { where, why } of found.broken) evidence.push({ what: "other", where, counts: false, says: why });
  const { policy } = question;
  const wanted = [
    ...(policy.signature ? (["signature"] as const) : []),
    ...(policy.provenance === "none" ? [] : (["provenance"] as const)),
  ];
  const proofs = wanted.map((what) => ({ what, proof: evidence.find((one) => one.what === what && one.counts) }));
  const missing = proofs.filter(({ proof }) => proof === undefined).map(({ what }) => lackOf(what, evidence));
  const used = proofs.flatMap(({ proof }) => proof ?? []);
  const proven = missing.length === 0;
  const signers = proven ? [...new Set(used.flatMap(({ signer }) => signer ?? []))] : [];
  const message = proven
    ? used.map(({ what, signer, says }) => `${what} by ${signer}: ${says}`).join("; ")
    : missing.join("; ");
  // What counts is said first, then what a trusted signer said in vain.
  const order = (one: TrustEvidence): number => (one.counts ? 0 : one.signer === undefined ? 2 : 1);
  const told = evidence.toSorted((a, b) => order(a) - order(b)).slice(0, MAX_EVIDENCE);
  return { proven, message, signers, evidence: told };
}

function lackOf(what: "signature" | "provenance", evidence: readonly TrustEvidence[]): string {
  const of = evidence.filter((one) => one.what === what);
  const trusted = of.filter(({ signer }) => signer !== undefined);
  const nearest = trusted.find(({ says }) => says !== OF_A_TASK) ?? trusted[0] ?? of[0];
  if (nearest !== undefined) return `no ${what} counts: ${nearest.says}`;
  const broken = evidence.find((one) => one.what === "other");
  return broken === undefined ? `there is no ${what}` : `there is no ${what} (${broken.where}: ${broken.says})`;
}

function evidenceOf(question: TrustQuestion, document: SignedDocument, signerOf: SignerOf): TrustEvidence {
  const { where, payload } = document;
  const kind = kindOf(document);
  if (kind.what === "other") return { what: "other", where, counts: false, says: kind.says };
  const { signer, why } = signerOf(document);
  if (signer === undefined) {
    return { what: kind.what, where, counts: false, says: `not by who is trusted: ${cut(why)}` };
  }
  return { what: kind.what, where, signer: cut(signer), ...judge(question, kind, payload) };
}
