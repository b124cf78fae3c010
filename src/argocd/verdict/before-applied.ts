import {
  type Draft,
  type Look,
  newCondition,
  reasonedVerdict,
  revisionEvidence,
  syncEvidence,
  verdictOf,
} from "./look.ts";
import { operationEvidence } from "./reading.ts";
import { askUntilSeen, confirm } from "./refresh.ts";

/** After this an automatic sync that has not begun will not begin by itself. */
const SYNC_STARTS_MS = 30_000;
/** After this an operation of another commit counts as in our way. */
const STUCK_MS = 60_000;
/** Between the first sight of a manifest error and the refresh that confirms it. */
const RENDER_CONFIRM_MS = 2_000;
/** Errors of getting at the repository or the tools, not of what is written in it. */
const PASSING =
  /code = (?:Unavailable|DeadlineExceeded|Canceled|ResourceExhausted|Unauthenticated)|connection refused|connection reset|i\/o timeout|no such host|TLS handshake|context deadline|authentication required|broken pipe|transport: /i;

/** Everything that is settled without looking at what runs; undefined means: Argo CD compared our values with the cluster, and nothing is in the way. */
export function judgeBefore(look: Look): Draft | undefined {
  return ended(look) ?? unreadable(look) ?? unseen(look) ?? operating(look) ?? outOfSync(look);
}

function ended(look: Look): Draft | undefined {
  const { input, reading, snapshot, memory } = look;
  if (input.lost) {
    const evidence = [{ field: `refs/heads/${input.branch}`, value: input.commit, rule: "is not in its history" }];
    return { verdict: reasonedVerdict("failed", "lost", "the branch no longer contains the commit", evidence) };
  }
  if (reading.failed) memory.lastFailedOperation = snapshot.operation?.message ?? "";
  if (memory.lastFailedOperation !== undefined) return failedSync(look, memory.lastFailedOperation);
  if (reading.covers === "yes" && reading.content === "other") {
    const evidence = [revisionEvidence(look, "covers the commit, but holds another value")];
    return { verdict: verdictOf("superseded", "a newer commit replaced the value", evidence) };
  }
  if (snapshot.annotations.skipReconcile) {
    const evidence = [{ field: "metadata.annotations", value: "skip-reconcile", rule: "freezes the status" }];
    const message = "the Application is excluded from reconciliation (argocd.argoproj.io/skip-reconcile)";
    return { verdict: reasonedVerdict("blocked", "skip-reconcile", message, evidence) };
  }
  return undefined;
}

/** Terminal states can last 22 ms (recording i): once seen it counts, whatever operation came after it. */
function failedSync(look: Look, operationMessage: string): Draft {
  const evidence = [operationEvidence(look.snapshot, "a full operation that covers the commit failed for good")];
  const message = `the sync failed: ${operationMessage || "no reason given"}`;
  if (look.input.baseline?.conditions.includes("SyncError") === true) {
    return {
      verdict: reasonedVerdict("blocked", "sync-error", `${message}; it failed before this commit too`, evidence),
    };
  }
  return { verdict: reasonedVerdict("failed", "sync", message, evidence) };
}

/** Manifest errors: `status.sync.revision` is the branch's name then, and the health stays what it was. */
function unreadable(look: Look): Draft | undefined {
  const { snapshot, before, memory, now } = look;
  const error = snapshot.conditions.find(({ type }) => type === "ComparisonError");
  if (snapshot.sync !== "Unknown" || error === undefined) return undefined;
  const evidence = [
    syncEvidence(look, "the manifests could not be rendered"),
    { field: "status.conditions", value: `${error.type}: ${error.message}`, rule: "Argo CD's reason" },
  ];
  const waiting = (message: string): Draft => ({
    verdict: verdictOf("unknown", message, evidence),
    ...askUntilSeen(look),
  });
  if (newCondition(look, ["ComparisonError"]) === undefined) {
    return waiting("the manifests could not be rendered before this commit either");
  }
  if (memory.observedSince !== undefined) {
    return waiting("the manifests rendered with this commit and stopped rendering later");
  }
  if (PASSING.test(error.message)) return waiting("Argo CD cannot get at the manifests just now");
  memory.renderSince = before.renderSince ?? now;
  memory.renderReconciledAt = before.renderReconciledAt ?? snapshot.reconciledAt;
  // What failed at first sight may be an older state of the branch: only a refresh asked for after it tells.
  const asked = confirm(look, memory.renderSince + RENDER_CONFIRM_MS, [memory.renderReconciledAt]);
  if (asked.confirmed) {
    const message = `the manifests cannot be rendered: ${error.message}`;
    return { verdict: reasonedVerdict("failed", "render", message, evidence) };
  }
  return { verdict: verdictOf("pushed", "a manifest error, being confirmed", evidence), ...asked };
}

function unseen(look: Look): Draft | undefined {
  const { reading } = look;
  if (reading.covers === "unknown") {
    const evidence = [revisionEvidence(look, "Git did not tell whether it covers the commit")];
    return { verdict: verdictOf("unknown", "the revision that Argo CD compared is not known", evidence) };
  }
  if (reading.covers === "no") {
    const evidence = [revisionEvidence(look, "does not cover the commit")];
    return {
      verdict: verdictOf("pushed", "Argo CD has not compared this commit yet", evidence),
      ...askUntilSeen(look),
    };
  }
  if (reading.content === "unknown") {
    const evidence = [revisionEvidence(look, "covers the commit; its files could not be read")];
    return { verdict: verdictOf("unknown", "the values at the compared revision are not known", evidence) };
  }
  return undefined;
}

function operating(look: Look): Draft | undefined {
  const { reading, snapshot, before, memory, now } = look;
  if (reading.operation !== "requested" && reading.operation !== "running" && reading.operation !== "waiting") {
    return undefined;
  }
  if (reading.operation === "requested" || reading.operationCovers) {
    const retry = snapshot.operation?.retryCount ?? 0;
    const message =
      reading.operation === "waiting"
        ? `the sync failed and waits for retry ${retry}: ${snapshot.operation?.message ?? ""}`
        : "Argo CD is syncing";
    return { verdict: verdictOf("syncing", message, [operationEvidence(snapshot, "in progress")]) };
  }
  // An operation keeps the revision it began with; newer commits wait for its end (argo-cd #11494).
  memory.obstructedSince = before.obstructedSince ?? now;
  const evidence = [operationEvidence(snapshot, "in progress for another commit")];
  const leftMs = memory.obstructedSince + STUCK_MS - now;
  if (leftMs > 0) {
    return { verdict: verdictOf("observed", "waiting for the operation of another commit", evidence), againMs: leftMs };
  }
  const message = "an operation of another commit does not end; terminate it to let this one be synced";
  return { verdict: reasonedVerdict("blocked", "operation-stuck", message, evidence) };
}

function outOfSync(look: Look): Draft | undefined {
  const { reading, snapshot, before, memory, now } = look;
  if (reading.synced) return undefined;
  const evidence = [revisionEvidence(look, "covers the commit"), syncEvidence(look, "not deployed yet")];
  if (snapshot.sync !== "OutOfSync") {
    return { verdict: verdictOf("unknown", "the comparison has no result", evidence), ...askUntilSeen(look) };
  }
  memory.outOfSyncSince = before.outOfSyncSince ?? now;
  if (reading.applied) {
    return { verdict: verdictOf("rolling", "applied; the cluster still differs from Git", evidence) };
  }
  const leftMs = memory.outOfSyncSince + SYNC_STARTS_MS - now;
  if (!snapshot.automated) return { verdict: notAutomatic(look, evidence) };
  const error = snapshot.conditions.find(({ type }) => type === "SyncError");
  if (leftMs > 0) return { verdict: verdictOf("observed", "seen; the sync has not begun", evidence), againMs: leftMs };
  if (error !== undefined) {
    const message = `Argo CD gave up syncing by itself: ${error.message}`;
    return { verdict: reasonedVerdict("blocked", "sync-error", message, evidence) };
  }
  // No operation and no condition: only the project's sync windows do that (recording l).
  const message = "Argo CD does not start the automatic sync: most likely a sync window of the project denies it";
  return { verdict: reasonedVerdict("blocked", "sync-window", message, evidence) };
}

function notAutomatic(look: Look, evidence: Draft["verdict"]["evidence"]): Draft["verdict"] {
  // Progressive syncs of an ApplicationSet switch automatic sync off and start each step themselves.
  if (look.snapshot.ownedByApplicationSet) {
    const message = "automatic sync is off: the step of the ApplicationSet's progressive sync, or a person, starts it";
    return reasonedVerdict("blocked", "rolling-sync", message, evidence);
  }
  return reasonedVerdict("blocked", "manual-sync", "automatic sync is off: somebody has to sync it", evidence);
}
