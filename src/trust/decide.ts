import { z } from "zod";
import { isSameImage } from "../model/image-location.ts";
import { matchesPattern } from "../model/match.ts";
import { isSameRepository } from "../model/repository-url.ts";
import { MAX_EVIDENCE, type TrustDecision, type TrustEvidence, type TrustQuestion } from "../model/trust.ts";
import type { SignedDocument } from "./document.ts";
import type { FoundDocuments } from "./documents.ts";
import {
  isProvenance,
  type Provenance,
  parseProvenance,
  parseStatement,
  SIGN_PREDICATE,
  type Statement,
} from "./provenance.ts";

/** Whose signature is on a document: nobody's who counts, and why, when there is no `signer`. */
export type SignerOf = (document: SignedDocument) => { signer?: string; why: string };

const IN_TOTO = "application/vnd.in-toto+json";
/** Clocks of clusters differ. */
const MAX_AHEAD_MS = 10 * 60_000;
/** Chains signs the parts of a run before the run: of several reasons this one says least. */
const OF_A_TASK = "it is of a TaskRun, not of the PipelineRun";

// github.com/containers/image, docs/containers-signature.5.md
const simpleSigning = z.object({
  critical: z.object({
    type: z.literal("cosign container image signature"),
    identity: z.object({ "docker-reference": z.string() }),
    image: z.object({ "docker-manifest-digest": z.string() }),
  }),
});

type Says = Pick<TrustEvidence, "what" | "counts" | "says">;

/**
 * What the documents prove. One that satisfies everything is enough for the signature, and one for the provenance:
 * what others put beside it neither helps nor hurts.
 */
export function decide(question: TrustQuestion, found: FoundDocuments, signerOf: SignerOf): TrustDecision {
  const evidence: TrustEvidence[] = found.signed.map((document) => {
    const { signer, why } = signerOf(document);
    const { what, counts, says } = readingOf(question, document);
    if (signer === undefined)
      return { what, where: document.where, counts: false, says: `not by who is trusted: ${why}` };
    return { what, where: document.where, signer, counts, says };
  });
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

function readingOf(question: TrustQuestion, document: SignedDocument): Says {
  if (document.payloadType === undefined) return simpleSignature(question, document);
  if (document.payloadType !== IN_TOTO) return other(`its payload is ${document.payloadType.slice(0, 80)}`);
  const statement = parseStatement(document.payload);
  if (statement === undefined) return other("it is no in-toto statement");
  const { predicateType, subjects } = statement;
  const hex = question.image.digest.slice("sha256:".length);
  const named = subjects.filter(({ sha256 }) => sha256 === hex);
  if (predicateType === SIGN_PREDICATE) {
    // cosign names no image there, only its digest.
    return named.some(({ name }) => name === "" || isSameImage(name, question.image.repository))
      ? { what: "signature", counts: true, says: "of this image" }
      : { what: "signature", counts: false, says: "it is of another image" };
  }
  if (!isProvenance(predicateType)) return other(`it is ${predicateType.slice(0, 80)}, no SLSA provenance`);
  const { counts, says } = provenanceReading(question, statement, named);
  return { what: "provenance", counts, says };
}

function provenanceReading(
  question: TrustQuestion,
  statement: Statement,
  named: Statement["subjects"],
): Pick<TrustEvidence, "counts" | "says"> {
  // Name and digest in one subject: each of them alone may be anybody's.
  if (!named.some(({ name }) => isSameImage(name, question.image.repository))) {
    return { counts: false, says: "it is of another image" };
  }
  const provenance = parseProvenance(statement);
  if (provenance === undefined) return { counts: false, says: "it is not what its predicate type says" };
  const problem = problemOf(question, provenance);
  return problem === undefined
    ? { counts: true, says: summaryOf(question, provenance) }
    : { counts: false, says: problem };
}

function simpleSignature({ image }: TrustQuestion, { payload }: SignedDocument): Says {
  const what = "signature";
  const parsed = simpleSigning.safeParse(jsonOf(payload));
  if (!parsed.success) return { what, counts: false, says: "it is no signature of an image" };
  const { identity, image: signed } = parsed.data.critical;
  const isOurs =
    signed["docker-manifest-digest"] === image.digest && isSameImage(identity["docker-reference"], image.repository);
  return isOurs
    ? { what, counts: true, says: "of this image" }
    : { what, counts: false, says: "it is of another image" };
}

/** What the policy has against it; undefined when nothing. */
function problemOf(question: TrustQuestion, provenance: Provenance): string | undefined {
  const { policy, run, source, now } = question;
  const { kind, builder, buildType, runs, sources, finishedAt } = provenance;
  const wantsTekton = policy.provenance === "taskrun" || policy.provenance === "pipelinerun";
  if (wantsTekton && kind === undefined) return "it is of no Tekton run";
  if (policy.provenance === "pipelinerun" && kind !== "pipelinerun") return OF_A_TASK;
  if (!policy.builders.some((pattern) => matchesPattern(pattern, builder))) return `the builder is ${cut(builder)}`;
  if (!policy.buildTypes.some((pattern) => matchesPattern(pattern, buildType)))
    return `the build type is ${cut(buildType)}`;
  if (policy.maxAgeMs !== undefined) {
    if (finishedAt === undefined) return "it does not say when the build finished";
    if (finishedAt > now + MAX_AHEAD_MS) return `the build is said to finish at ${new Date(finishedAt).toISOString()}`;
    if (finishedAt < now - policy.maxAgeMs)
      return `it is too old: the build finished ${new Date(finishedAt).toISOString()}`;
  }
  const isOfRun = run !== undefined && [run.uid, ...(run.taskUids ?? [])].some((uid) => runs.includes(uid));
  if (policy.matchRun && run !== undefined && !isOfRun) {
    return runs.length === 0 ? "it does not say of which run it is" : `it is of run ${cut(runs.join(", "))}`;
  }
  if (!policy.matchSource || source === undefined) return undefined;
  // A Task that is given its source by another one cannot name it: then the run's own results say it.
  if (kind === "taskrun" && policy.provenance === "taskrun" && sources.length === 0 && isOfRun) return undefined;
  const isFromThere = sources.some(
    ({ repository, commit }) => commit === source.commit && isSameRepository(repository, source.repository),
  );
  if (isFromThere) return undefined;
  const [from] = sources;
  return from === undefined ? "it names no source" : `the source is ${cut(`${from.repository}@${from.commit}`)}`;
}

function summaryOf({ source, policy }: TrustQuestion, { kind, builder, sources }: Provenance): string {
  const from = sources.find(({ commit }) => commit === source?.commit) ?? sources[0];
  const compared = policy.matchSource && from !== undefined ? ` from ${cut(`${from.repository}@${from.commit}`)}` : "";
  return `${kind ?? "build"} of ${cut(builder)}${compared}`;
}

function other(says: string): Says {
  return { what: "other", counts: false, says };
}

/** Others' words are quoted, but not without end. */
function cut(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, 200);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
