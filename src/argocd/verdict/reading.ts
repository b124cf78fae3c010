import type { ApplicationOperation, ApplicationSnapshot } from "../../model/application.ts";
import type { JudgeInput } from "../../model/judgement.ts";
import type { Evidence, RevisionFacts } from "../../model/observation.ts";
import { sourcesOf } from "../applications.ts";

/** `waiting`: for its next retry. `abandoned`: says Running, is finished and nothing will go on with it. */
export type OperationState = "none" | "requested" | "running" | "waiting" | "abandoned" | "succeeded" | "failed";
export type Coverage = "yes" | "no" | "unknown";

/** A snapshot as the rules read it: every word of it about our commit. */
export interface Reading {
  /** Whether the Application renders our files itself, or is what they render. */
  kind: "revision" | "spec";
  /** Whether the revision compared is ours or a descendant of it. */
  covers: Coverage;
  content: RevisionFacts["content"];
  /** What was compared, for people. */
  compared: Pick<Evidence, "field" | "value">;
  operation: OperationState;
  /** The operation's revision covers our commit. */
  operationCovers: boolean;
  /** It covers it and is not known to hold other values. */
  operationIsOurs: boolean;
  /** A full operation that covers our commit has succeeded. */
  applied: boolean;
  /** A full operation that covers our commit, and still holds our values, has failed for good. */
  failed: boolean;
  /** Synced, or all that differs after our operation are resources that run nothing. */
  synced: boolean;
  /** `older`: the comparison began before the operation ended, so it says nothing of what was applied. */
  freshness: "later" | "same-second" | "older" | "never";
}

const SHA = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const WORKLOADS = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Rollout",
  "Pod",
  "Job",
  "CronJob",
  "Application",
]);

/**
 * Evidence of kind `revision`: the Application's own source renders our files. Of kind `spec`: they render the
 * Application itself, so its parent must have brought our values into its spec, and it must have been compared and
 * synced with that spec.
 */
export function read(input: JudgeInput): Reading {
  const { snapshot, parent } = input;
  const { operation } = snapshot;
  const state = operationState(snapshot);
  const bySpec = parent !== undefined && sourcesOf(snapshot, input).length === 0 && sourcesOf(parent, input).length > 0;
  const facts = bySpec ? specFacts(input, parent) : factsOf(input, snapshot, snapshot.revisions);
  const operationFacts = bySpec
    ? { covers: operation?.ofThisSpec === true ? ("yes" as const) : ("no" as const), content: facts.content }
    : factsOf(input, snapshot, operation === undefined ? [] : revisionsOf(operation));
  const full = operation !== undefined && !operation.partial && !operation.dryRun;
  const operationCovers = operationFacts.covers === "yes";
  const operationIsOurs = full && operationCovers && operationFacts.content !== "other";
  const applied = full && operationCovers && state === "succeeded";
  const synced = snapshot.sync === "Synced" && (!bySpec || snapshot.comparedToSpec === true);
  return {
    kind: bySpec ? "spec" : "revision",
    ...facts,
    compared: bySpec
      ? { field: "spec.source", value: snapshot.specValues.join(" ") || "names no image" }
      : { field: "status.sync.revision", value: snapshot.revisions.join(",") || "none" },
    operation: state,
    operationCovers,
    operationIsOurs,
    applied,
    failed: operationIsOurs && state === "failed",
    synced: synced || (applied && differsOnlyAside(snapshot)),
    freshness: freshnessOf(snapshot),
  };
}

/** The parent's comparison covers our commit, the cluster has it, and the child's spec holds every new value. */
function specFacts(
  input: JudgeInput,
  parent: ApplicationSnapshot,
): { covers: Coverage; content: RevisionFacts["content"] } {
  const facts = factsOf(input, parent, parent.revisions);
  const { name } = input.snapshot.ref;
  const pending = parent.resources.some(
    (resource) => resource.kind === "Application" && resource.name === name && resource.sync !== "Synced",
  );
  const deployed = parent.sync === "Synced" || (parent.sync === "OutOfSync" && parent.resources.length > 0 && !pending);
  if (facts.covers !== "yes" || facts.content === "other") return facts;
  if (!deployed) return { covers: "no", content: "unknown" };
  const held = input.images.new.every((image) => holds(input.snapshot.specValues, image));
  return { covers: "yes", content: held ? facts.content : "unknown" };
}

/** The whole reference, or the digest (the tag where there is none) on its own. */
function holds(values: readonly string[], image: string): boolean {
  const digest = /@(.+)$/.exec(image)?.[1];
  const tag = /:([^:/@]+)(?:@.*)?$/.exec(image)?.[1];
  const own = digest ?? tag;
  return values.some((value) => value === image || (own !== undefined && (value === own || value.endsWith(image))));
}

/** Positive when `a` is later; both are Argo CD's, which stamps whole seconds. */
export function laterThan(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined) return false;
  return b === undefined || b === "" || Date.parse(a) > Date.parse(b);
}

export function operationEvidence(snapshot: ApplicationSnapshot, rule: string): Evidence {
  const { operation } = snapshot;
  if (operation === undefined) return { field: "operation", value: "requested", rule };
  const at = revisionsOf(operation).join(",");
  return { field: "status.operationState", value: `${operation.phase}${at === "" ? "" : ` at ${at}`}`, rule };
}

function revisionsOf(operation: ApplicationOperation): string[] {
  return operation.revisions.some((revision) => revision !== "") ? operation.revisions : operation.requestedRevisions;
}

/**
 * Facts of the sources that render our files. When none matches by its address (a mirror, an alias), a commit id still
 * cannot lie: only our repository has descendants of our commit, so any source that covers it is ours.
 */
function factsOf(
  input: JudgeInput,
  snapshot: ApplicationSnapshot,
  revisions: readonly string[],
): { covers: Coverage; content: Reading["content"] } {
  const own = sourcesOf(snapshot, input);
  const { sources } = snapshot;
  // Without a readable source, as in a shortened copy, every revision may be ours.
  const all =
    sources.length === 0
      ? [...revisions.keys()]
      : sources.flatMap(({ chart }, index) => (chart === undefined ? [index] : []));
  const facts = (own.length > 0 ? own : all).map((index) => factOf(input, revisions[index]));
  const decisive = own.length > 0 ? facts : facts.filter(({ covers }) => covers === "yes");
  if (decisive.length === 0) {
    return facts.find(({ covers }) => covers === "unknown") ?? { covers: "no", content: "unknown" };
  }
  return {
    covers: worst(decisive.map(({ covers }) => covers)),
    content: worstContent(decisive.map(({ content }) => content)),
  };
}

function factOf(input: JudgeInput, revision: string | undefined): { covers: Coverage; content: Reading["content"] } {
  const facts = revision === undefined ? undefined : input.revisions.get(revision);
  if (facts === undefined) {
    // On a manifest error Argo CD reports the branch's name; a chart has a version.
    const isCommit = revision !== undefined && SHA.test(revision);
    return { covers: isCommit ? "unknown" : "no", content: "unknown" };
  }
  return { covers: facts.covers ? "yes" : "no", content: facts.content };
}

function worst(all: readonly Coverage[]): Coverage {
  if (all.includes("no")) return "no";
  return all.includes("unknown") ? "unknown" : "yes";
}

function worstContent(all: readonly Reading["content"][]): Reading["content"] {
  if (all.includes("other")) return "other";
  return all.includes("unknown") ? "unknown" : "ours";
}

function operationState(snapshot: ApplicationSnapshot): OperationState {
  const { operation, operationRequested } = snapshot;
  if (operation === undefined) return operationRequested ? "requested" : "none";
  switch (operation.phase) {
    case "Succeeded":
      return operationRequested ? "requested" : "succeeded";
    case "Failed":
    case "Error":
      return operationRequested ? "requested" : "failed";
    case "Running":
    case "Terminating":
      if (operation.finishedAt === undefined) return "running";
      return operationRequested ? "waiting" : "abandoned";
    default:
      // Of a phase that we do not know, or none, only that it goes on can be believed.
      if (operationRequested) return "requested";
      return operation.finishedAt === undefined ? "running" : "none";
  }
}

/** After our operation: what is still out of sync runs nothing (ignored differences, defaults, a prune that is off). */
function differsOnlyAside(snapshot: ApplicationSnapshot): boolean {
  if (snapshot.sync !== "OutOfSync") return false;
  const differing = snapshot.resources.filter(({ sync }) => sync !== "Synced" && sync !== "");
  return differing.length > 0 && differing.every(({ kind }) => !WORKLOADS.has(kind));
}

function freshnessOf(snapshot: ApplicationSnapshot): Reading["freshness"] {
  const finishedAt = snapshot.operation?.finishedAt;
  if (snapshot.reconciledAt === undefined) return "never";
  if (finishedAt === undefined || laterThan(snapshot.reconciledAt, finishedAt)) return "later";
  return laterThan(finishedAt, snapshot.reconciledAt) ? "older" : "same-second";
}
