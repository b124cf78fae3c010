import { resourceName } from "../../model/baseline.ts";
import type { Evidence } from "../../model/observation.ts";
import { proveImages } from "./images.ts";
import {
  type Draft,
  fellUnseen,
  healthEvidence,
  type Look,
  newCondition,
  reasonedVerdict,
  revisionEvidence,
  syncEvidence,
  verdictOf,
} from "./look.ts";
import { brokenPod, ownWorkloadsReady, podsOf } from "./pods.ts";
import { laterThan, operationEvidence } from "./reading.ts";
import { askUntilSeen, confirm } from "./refresh.ts";

/** A single Degraded flash may come from the previous roll-out's deadline (recording q: 64 ms). */
const DEGRADED_MS = 45_000;
/** `status.summary.images` keeps the old image for 1 to 2 s after Healthy. */
const MISMATCH_MS = 10_000;
const STALE_REFRESH_MS = 15_000;
const LOOK_AGAIN_MS = 10_000;
const ERROR_CONDITIONS = ["ComparisonError", "InvalidSpecError", "SyncError", "UnknownError"];

/** The cluster was compared with a revision that holds our values, and equals it: how does it run? */
export function judgeAfter(look: Look): Draft {
  const { snapshot, reading, memory, input } = look;
  if (reading.freshness === "older" || reading.freshness === "never") return stale(look);
  const { health = "Degraded" } = input.baseline ?? {};
  if (memory.appliedSince !== undefined && snapshot.health !== health) memory.leftBaseline = true;
  const applied = snapshot.operation?.images ?? [];
  if (reading.applied && proveImages({ new: input.images.new, old: [] }, { running: [], applied }).proven) {
    memory.appliedImages = true;
  }
  switch (snapshot.health) {
    case "Healthy":
      return healthy(look, [healthEvidence(look, "the workloads are ready")]);
    case "Suspended":
      return suspended(look);
    default:
      return unhealthy(look);
  }
}

/** A paused Rollout waits for a person or an analysis, anything else suspended for somebody to resume it. */
function suspended(look: Look): Draft {
  const evidence = [healthEvidence(look, "waits for somebody to resume it")];
  const message = look.snapshot.hasRollout ? "the Rollout is paused" : "it is suspended: somebody has to resume it";
  return { verdict: reasonedVerdict("paused", look.snapshot.hasRollout ? "rollout" : "suspended", message, evidence) };
}

/** What was unhealthy in the same way before the push says nothing about this commit. */
function unhealthy(look: Look): Draft {
  const { snapshot, input } = look;
  const { baseline } = input;
  const asBefore =
    baseline !== undefined &&
    baseline.health === snapshot.health &&
    !laterThan(snapshot.healthSince, snapshot.operation?.startedAt) &&
    look.memory.leftBaseline !== true;
  if (asBefore) {
    const ready = ownWorkloadsReady(look);
    if (ready !== undefined) return healthy(look, [healthEvidence(look, "as before this commit"), ...ready]);
    if (input.inspection === undefined) {
      const evidence = [healthEvidence(look, "as before this commit")];
      return {
        verdict: verdictOf("rolling", "its own workloads have to be looked at", evidence),
        inspect: "workloads",
      };
    }
  }
  if (snapshot.health === "Degraded") return degraded(look);
  const verdict = verdictOf("rolling", "rolling out", [
    healthEvidence(look, asBefore ? "as before this commit" : "not healthy yet"),
  ]);
  return { verdict, stopsClock: asBefore };
}

function stale(look: Look): Draft {
  const { memory, snapshot, now } = look;
  const evidence = [
    { field: "status.reconciledAt", value: snapshot.reconciledAt ?? "", rule: "before the operation's end" },
    operationEvidence(snapshot, "finished later"),
  ];
  const verdict = verdictOf("rolling", "the comparison is older than the operation", evidence);
  // Argo CD compares by itself after each operation: ask only when that is overdue.
  const dueAt = Math.max(memory.refreshedAt ?? 0, memory.appliedSince ?? memory.observedSince ?? 0) + STALE_REFRESH_MS;
  if (now < dueAt) return { verdict, againMs: dueAt - now };
  const { refresh, againMs } = confirm(look, dueAt, []);
  return { verdict, refresh, againMs };
}

function healthy(look: Look, readiness: Evidence[]): Draft {
  const { input, snapshot, reading, before, memory, now } = look;
  const error = newCondition(look, ERROR_CONDITIONS);
  if (error !== undefined) {
    const evidence = [{ field: "status.conditions", value: `${error.type}: ${error.message}`, rule: "an error" }];
    return { verdict: verdictOf("rolling", `Argo CD reports ${error.type}`, evidence) };
  }
  if (input.images.new.length === 0) {
    return { verdict: verdictOf("unknown", "nobody said which image has to run", readiness), stopsClock: true };
  }
  const images = proveImages(input.images, { running: snapshot.summaryImages, applied: appliedImages(look) });
  if (!images.proven) return mismatch(look, images.evidence);

  const startsAgain = before.candidateSince === undefined || fellUnseen(look);
  memory.candidateSince = startsAgain ? now : before.candidateSince;
  // The field's absence must not read as "no candidate yet" on the next look.
  memory.candidateReconciledAt = startsAgain ? (snapshot.reconciledAt ?? "") : before.candidateReconciledAt;
  memory.candidateHealthSince = snapshot.healthSince ?? "";
  memory.candidateOperation = snapshot.operation?.startedAt ?? "";
  const evidence = [
    revisionEvidence(look, "covers the commit and holds its values"),
    syncEvidence(look, "the cluster equals that revision"),
    ...(reading.applied ? [operationEvidence(snapshot, "a full operation that covers the commit")] : []),
    ...readiness,
    ...images.evidence,
  ];
  const settledAt = (memory.candidateSince ?? now) + input.settings.settleMs;
  const asked = confirm(look, settledAt, [memory.candidateReconciledAt, snapshot.operation?.finishedAt]);
  const candidate = (message: string): Draft => ({
    verdict: verdictOf("candidate", message, evidence),
    ...asked,
    // At first sight: restarts from before the push must not count.
    ...(startsAgain || asked.confirmed ? { inspect: "workloads" } : {}),
  });
  const pods = podsOf(look);
  evidence.push(...pods.evidence);
  if (pods.word === "crashing") {
    return { verdict: reasonedVerdict("failed", "crashing", "its containers restart again and again", evidence) };
  }
  if (!asked.confirmed || input.inspection === undefined) return candidate("healthy; has to stay so");
  if (pods.word === "restarted")
    return { ...candidate("a container restarted; it must not again"), againMs: LOOK_AGAIN_MS };
  if (pods.word === "not-ready") return { ...candidate("healthy, but a Pod is not ready"), againMs: LOOK_AGAIN_MS };
  evidence.push({
    field: "status.reconciledAt",
    value: snapshot.reconciledAt ?? "",
    rule: `compared again after ${Math.round((now - (memory.candidateSince ?? now)) / 1_000)} s without a change`,
  });
  return { verdict: verdictOf("healthy", "runs and is healthy", evidence) };
}

/** Manifests prove an image where no Pod is; a dry run or a partial sync that came later must not take that away. */
function appliedImages({ snapshot, reading, memory, input }: Look): readonly string[] {
  if (memory.appliedImages === true) return input.images.new;
  const { operation } = snapshot;
  const counts =
    operation !== undefined && reading.operation === "succeeded" && !operation.dryRun && !operation.partial;
  return counts ? operation.images : [];
}

/** All is well but the Pods: OnDelete strategies and ignored differences stay like this for ever. */
function mismatch(look: Look, evidence: Draft["verdict"]["evidence"]): Draft {
  const { before, memory, now } = look;
  memory.mismatchSince = before.mismatchSince ?? now;
  const dueAt = memory.mismatchSince + MISMATCH_MS;
  if (now < dueAt) {
    return { verdict: verdictOf("rolling", "Pods still name other images", evidence), againMs: dueAt - now };
  }
  // Argo CD may be wrong about Pods that are gone until it compares again.
  const asked = confirm(look, dueAt, []);
  const { refresh, againMs } = asked.confirmed ? askUntilSeen(look) : asked;
  const message =
    "Synced and Healthy, but the Pods do not name the new image (OnDelete, ignored differences, a mirror?)";
  return { verdict: reasonedVerdict("blocked", "image-mismatch", message, evidence), refresh, againMs };
}

function degraded(look: Look): Draft {
  const { input, before, memory, now } = look;
  const evidence = [healthEvidence(look, "degraded")];
  const ours = memory.appliedSince === undefined ? undefined : blame(look);
  if (ours === undefined) {
    // Without an operation of ours there is nothing to blame it on, but it is no success either.
    const message = "degraded, and nothing shows that this commit did it";
    if (memory.appliedSince !== undefined && input.inspection === undefined) {
      return { verdict: verdictOf("rolling", message, evidence), inspect: "workloads" };
    }
    return { verdict: verdictOf("unknown", message, evidence), stopsClock: input.baseline !== undefined };
  }
  evidence.push(ours);
  memory.degradedSince = before.degradedSince ?? now;
  const asked = confirm(look, memory.degradedSince + (input.settings.degradedMs ?? DEGRADED_MS), []);
  if (!asked.confirmed) return { verdict: verdictOf("rolling", "degraded; may recover", evidence), ...asked };
  const seconds = Math.round((now - memory.degradedSince) / 1_000);
  const message = `degraded for ${seconds} s since this commit was applied`;
  return { verdict: reasonedVerdict("failed", "degraded", message, evidence) };
}

/** What shows that the degradation is this commit's: the first of these that holds. */
function blame(look: Look): Evidence | undefined {
  const { snapshot, memory, input } = look;
  const { baseline } = input;
  if (baseline !== undefined && baseline.health !== "Degraded") {
    return { field: "baseline.health", value: baseline.health || "none", rule: "was not degraded before the push" };
  }
  if (memory.leftBaseline === true) {
    return { field: "status.health.status", value: "Degraded again", rule: "it had recovered after the sync" };
  }
  if (laterThan(snapshot.healthSince, snapshot.operation?.startedAt) && snapshot.operation?.startedAt !== undefined) {
    const value = snapshot.healthSince ?? "";
    return { field: "status.health.lastTransitionTime", value, rule: "degraded since this commit was synced" };
  }
  const pod = brokenPod(look);
  if (pod !== undefined) return pod;
  if (baseline === undefined) return undefined;
  const found = snapshot.resources.find(
    (resource) => resource.health === "Degraded" && !baseline.degraded.includes(resourceName(resource)),
  );
  return found && { field: "status.resources", value: resourceName(found), rule: "was not degraded before the push" };
}
