import { proveImages } from "./images.ts";
import {
  type Draft,
  healthEvidence,
  type Look,
  newCondition,
  reasonedVerdict,
  revisionEvidence,
  syncEvidence,
  verdictOf,
} from "./look.ts";
import { operationEvidence } from "./reading.ts";
import { confirm } from "./refresh.ts";

/** A single Degraded flash may come from the previous roll-out's deadline (recording q: 64 ms). */
const DEGRADED_MS = 45_000;
/** `status.summary.images` keeps the old image for 1 to 2 s after Healthy. */
const MISMATCH_MS = 10_000;
const STALE_REFRESH_MS = 15_000;
const ERROR_CONDITIONS = ["ComparisonError", "InvalidSpecError", "SyncError", "UnknownError"];

/** The cluster was compared with a revision that holds our values, and equals it: how does it run? */
export function judgeAfter(look: Look): Draft {
  const { snapshot, reading } = look;
  if (reading.compared === "older" || reading.compared === "never") return stale(look);
  if (snapshot.health !== "Degraded" && look.memory.appliedSince !== undefined) look.memory.leftDegraded = true;
  switch (snapshot.health) {
    case "Healthy":
      return healthy(look);
    case "Degraded":
      return degraded(look);
    case "Suspended": {
      const evidence = [healthEvidence(look, "waits for somebody to resume it")];
      return { verdict: reasonedVerdict("paused", "rollout-suspended", "the roll-out is suspended", evidence) };
    }
    default:
      return { verdict: verdictOf("rolling", "rolling out", [healthEvidence(look, "not healthy yet")]) };
  }
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

function healthy(look: Look): Draft {
  const { input, snapshot, reading, before, memory, now } = look;
  const error = newCondition(look, ERROR_CONDITIONS);
  if (error !== undefined) {
    const evidence = [{ field: "status.conditions", value: `${error.type}: ${error.message}`, rule: "an error" }];
    return { verdict: verdictOf("rolling", `Argo CD reports ${error.type}`, evidence) };
  }
  const applied =
    snapshot.operation === undefined || reading.operation !== "succeeded" ? [] : snapshot.operation.images;
  const images = proveImages(input.images, { running: snapshot.summaryImages, applied });
  if (!images.proven) return mismatch(look, images.evidence);

  memory.candidateSince = before.candidateSince ?? now;
  // The field's absence must not read as "no candidate yet" on the next look.
  memory.candidateReconciledAt =
    before.candidateSince === undefined ? (snapshot.reconciledAt ?? "") : before.candidateReconciledAt;
  memory.candidateOperation = snapshot.operation?.startedAt ?? "";
  const evidence = [
    revisionEvidence(look, "covers the commit and holds its values"),
    syncEvidence(look, "the cluster equals that revision"),
    ...(reading.applied ? [operationEvidence(snapshot, "a full operation that covers the commit")] : []),
    healthEvidence(look, "the workloads are ready"),
    ...images.evidence,
  ];
  const floor = [memory.candidateReconciledAt, snapshot.operation?.finishedAt];
  const asked = confirm(look, memory.candidateSince + input.settings.settleMs, floor);
  if (asked.confirmed) {
    evidence.push({
      field: "status.reconciledAt",
      value: snapshot.reconciledAt ?? "",
      rule: `compared again after ${Math.round((now - memory.candidateSince) / 1_000)} s without a change`,
    });
    return { verdict: verdictOf("healthy", "runs and is healthy", evidence) };
  }
  return { verdict: verdictOf("candidate", "healthy; has to stay so", evidence), ...asked };
}

/** All is well but the Pods: OnDelete strategies and ignored differences stay like this for ever. */
function mismatch(look: Look, evidence: Draft["verdict"]["evidence"]): Draft {
  const { before, memory, now } = look;
  memory.mismatchSince = before.mismatchSince ?? now;
  const leftMs = memory.mismatchSince + MISMATCH_MS - now;
  if (leftMs > 0) {
    return { verdict: verdictOf("rolling", "Pods still name other images", evidence), againMs: leftMs };
  }
  const message =
    "Synced and Healthy, but the Pods do not name the new image (OnDelete, ignored differences, a mirror?)";
  return { verdict: reasonedVerdict("blocked", "image-mismatch", message, evidence) };
}

function degraded(look: Look): Draft {
  const { input, before, memory, now } = look;
  const evidence = [healthEvidence(look, "degraded")];
  if (memory.appliedSince === undefined || !isOurs(look)) {
    return { verdict: verdictOf("rolling", "degraded, as it was before this commit", evidence) };
  }
  memory.degradedSince = before.degradedSince ?? now;
  const asked = confirm(look, memory.degradedSince + (input.settings.degradedMs ?? DEGRADED_MS), []);
  if (!asked.confirmed) return { verdict: verdictOf("rolling", "degraded; may recover", evidence), ...asked };
  const seconds = Math.round((now - memory.degradedSince) / 1_000);
  const message = `degraded for ${seconds} s since this commit was applied`;
  return { verdict: reasonedVerdict("failed", "degraded", message, evidence) };
}

/** What was degraded before the push is not this commit's doing, unless it had recovered since. */
function isOurs(look: Look): boolean {
  const { snapshot, memory, input } = look;
  const resources = snapshot.resources.filter(({ health }) => health === "Degraded");
  const known = input.baseline?.degraded ?? [];
  if (resources.some(({ kind, namespace, name }) => !known.includes(`${kind}/${namespace}/${name}`))) return true;
  if (memory.leftDegraded === true) return true;
  return input.baseline !== undefined && input.baseline.health !== "Degraded";
}
