import { z } from "zod";
import { isSameImage } from "../model/image-location.ts";
import { matchesPattern } from "../model/match.ts";
import { isSameRepository } from "../model/repository-url.ts";
import type { TrustQuestion } from "../model/trust.ts";
import type { SignedDocument } from "./document.ts";
import {
  isProvenance,
  type Provenance,
  parseProvenance,
  parseStatement,
  SIGN_PREDICATE,
  type Statement,
} from "./provenance.ts";

/** What a document is, before anybody asks who signed it. */
export type Kind =
  | { what: "signature"; statement?: Statement }
  | { what: "provenance"; statement: Statement }
  | { what: "other"; says: string };

/** Whether what a trusted signer says is enough, and in words. */
export interface Verdict {
  counts: boolean;
  says: string;
}

const IN_TOTO = "application/vnd.in-toto+json";
/** Clocks of clusters differ. */
const MAX_AHEAD_MS = 10 * 60_000;
/** Chains signs the parts of a run before the run: of several reasons this one says least. */
export const OF_A_TASK = "it is of a TaskRun, not of the PipelineRun";

// github.com/containers/image, docs/containers-signature.5.md
const simpleSigning = z.object({
  critical: z.object({
    type: z.literal("cosign container image signature"),
    identity: z.object({ "docker-reference": z.string() }),
    image: z.object({ "docker-manifest-digest": z.string() }),
  }),
});

const OF_THIS_IMAGE: Verdict = { counts: true, says: "of this image" };
const OF_ANOTHER_IMAGE: Verdict = { counts: false, says: "it is of another image" };

export function kindOf({ payloadType, payload }: SignedDocument): Kind {
  if (payloadType === undefined) return { what: "signature" };
  if (payloadType !== IN_TOTO) return { what: "other", says: `its payload is ${cut(payloadType)}` };
  const statement = parseStatement(payload);
  if (statement === undefined) return { what: "other", says: "it is no in-toto statement" };
  const { predicateType } = statement;
  if (predicateType === SIGN_PREDICATE) return { what: "signature", statement };
  if (isProvenance(predicateType)) return { what: "provenance", statement };
  return { what: "other", says: `it is ${cut(predicateType)}, no SLSA provenance` };
}

/** Asked only of documents that somebody trusted has signed. */
export function judge(question: TrustQuestion, kind: Exclude<Kind, { what: "other" }>, payload: Buffer): Verdict {
  if (kind.statement === undefined) return judgeSimpleSigning(question, payload);
  const { repository, digest } = question.image;
  const named = kind.statement.subjects.filter(({ sha256 }) => digest === `sha256:${sha256}`);
  // cosign's own signature names no image, only its digest.
  const mayBeNameless = kind.what === "signature";
  // Name and digest in one subject: each of them alone may be anybody's.
  const isOurs = named.some(({ name }) => (mayBeNameless && name === "") || isSameImage(name, repository));
  if (!isOurs) return OF_ANOTHER_IMAGE;
  if (kind.what === "signature") return OF_THIS_IMAGE;
  const provenance = parseProvenance(kind.statement);
  if (provenance === undefined) return { counts: false, says: "it is not what its predicate type says" };
  const problem = problemOf(question, provenance);
  return problem === undefined
    ? { counts: true, says: summaryOf(question, provenance) }
    : { counts: false, says: problem };
}

function judgeSimpleSigning({ image }: TrustQuestion, payload: Buffer): Verdict {
  const parsed = simpleSigning.safeParse(jsonOf(payload));
  if (!parsed.success) return { counts: false, says: "it is no signature of an image" };
  const { identity, image: signed } = parsed.data.critical;
  const isOurs =
    signed["docker-manifest-digest"] === image.digest && isSameImage(identity["docker-reference"], image.repository);
  return isOurs ? OF_THIS_IMAGE : OF_ANOTHER_IMAGE;
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

/** Others' words are quoted, but not without end, and on one line. */
export function cut(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, 200);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
