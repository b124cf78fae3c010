import { abandoned, obstructed, outOfSync } from "./blocked.ts";
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

const UNANSWERED_MS = 30_000;
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
  if (reading.failed && failedBefore(look)) return failedAgain(look);
  if (reading.failed) memory.lastFailedOperation = snapshot.operation?.message ?? "";
  if (memory.lastFailedOperation !== undefined) return failedSync(look, memory.lastFailedOperation);
  if (reading.covers === "yes" && reading.content === "other") return superseded(look);
  if (snapshot.annotations.skipReconcile) {
    const evidence = [{ field: "metadata.annotations", value: "skip-reconcile", rule: "freezes the status" }];
    const message = "the Application is excluded from reconciliation (argocd.argoproj.io/skip-reconcile)";
    return { verdict: reasonedVerdict("blocked", "skip-reconcile", message, evidence) };
  }
  return undefined;
}

/** An operation of ours that still runs can fail, and then that is what happened to this commit (recording i). */
function superseded(look: Look): Draft {
  const { reading, snapshot } = look;
  const evidence = [revisionEvidence(look, "covers the commit, but holds another value")];
  if (reading.operationIsOurs && (reading.operation === "running" || reading.operation === "waiting")) {
    evidence.push(operationEvidence(snapshot, "still applies this commit"));
    return { verdict: verdictOf("syncing", "a newer value waits for the end of this commit's operation", evidence) };
  }
  return { verdict: verdictOf("superseded", "a newer commit replaced the value", evidence) };
}

/** Terminal states can last 22 ms (recording i): once seen it counts, whatever operation came after it. */
function failedSync(look: Look, operationMessage: string): Draft {
  const evidence = [operationEvidence(look.snapshot, "a full operation that covers the commit failed for good")];
  const message = `the sync failed: ${operationMessage || "no reason given"}`;
  return { verdict: reasonedVerdict("failed", "sync", message, evidence) };
}

/** The last operation before the push had failed in the same way, or Argo CD had given up by then. */
function failedBefore({ input: { baseline }, snapshot }: Look): boolean {
  if (baseline === undefined) return false;
  return baseline.conditions.includes("SyncError") || baseline.failedSync === (snapshot.operation?.message ?? "");
}

/** Not this commit's doing, and not for ever: a later operation may succeed. */
function failedAgain({ snapshot }: Look): Draft {
  const evidence = [operationEvidence(snapshot, "failed as the one before this commit did")];
  const message = `the sync failed: ${snapshot.operation?.message || "no reason given"}; it failed before this commit too`;
  return { verdict: reasonedVerdict("blocked", "sync-error", message, evidence) };
}

/** Manifest errors: `status.sync.revision` is the branch's name then, and the health stays what it was. */
function unreadable(look: Look): Draft | undefined {
  const { snapshot, before, memory, now, reading } = look;
  const invalid = newCondition(look, ["InvalidSpecError"]);
  if (invalid !== undefined && snapshot.sync !== "Synced" && reading.kind === "revision") {
    const evidence = [
      { field: "status.conditions", value: `InvalidSpecError: ${invalid.message}`, rule: "Argo CD's reason" },
    ];
    // The commit did not write the spec, so this is not its failure.
    return {
      verdict: verdictOf("unknown", "the spec of the Application itself is invalid", evidence),
      ...askUntilSeen(look),
    };
  }
  const error = invalid ?? snapshot.conditions.find(({ type }) => type === "ComparisonError");
  if (snapshot.sync !== "Unknown" || error === undefined) return undefined;
  const evidence = [
    syncEvidence(look, "the manifests could not be rendered"),
    { field: "status.conditions", value: `${error.type}: ${error.message}`, rule: "Argo CD's reason" },
  ];
  // None of these is the commit's doing, so its time limit does not count them.
  const waiting = (message: string): Draft => ({
    verdict: verdictOf("unknown", message, evidence),
    ...askUntilSeen(look),
    stopsClock: true,
  });
  if (newCondition(look, ["ComparisonError", "InvalidSpecError"]) === undefined) {
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
    return (
      unanswered(look) ?? {
        verdict: verdictOf("pushed", "Argo CD has not compared this commit yet", evidence),
        ...askUntilSeen(look),
      }
    );
  }
  if (reading.content === "unknown") {
    const evidence = [revisionEvidence(look, "covers the commit; the values there are not known to be ours")];
    return { verdict: verdictOf("unknown", "the values at the compared revision are not known", evidence) };
  }
  return undefined;
}

/** A refresh is taken off the object when it is answered, within 66 ms; one that stays means: nobody is at work (recording k2). */
function unanswered(look: Look): Draft | undefined {
  const { snapshot, before, memory, now } = look;
  if (snapshot.annotations.refresh === undefined) return undefined;
  memory.unansweredSince = before.unansweredSince ?? now;
  if (now - memory.unansweredSince < UNANSWERED_MS) return undefined;
  const evidence = [
    { field: "metadata.annotations", value: `refresh=${snapshot.annotations.refresh}`, rule: "not answered" },
    { field: "status.reconciledAt", value: snapshot.reconciledAt ?? "", rule: "stands still" },
  ];
  const message = "Argo CD's application controller does not answer";
  return { verdict: verdictOf("unknown", message, evidence), ...askUntilSeen(look), stopsClock: true };
}

/** One that was begun without a revision takes the branch's, and says so a little later. */
function namesRevision({ snapshot: { operation } }: Look): boolean {
  return [...(operation?.revisions ?? []), ...(operation?.requestedRevisions ?? [])].some(
    (revision) => revision !== "",
  );
}

function operating(look: Look): Draft | undefined {
  const { reading, snapshot } = look;
  if (reading.operation === "abandoned") return reading.synced ? undefined : abandoned(look);
  if (reading.operation !== "requested" && reading.operation !== "running" && reading.operation !== "waiting") {
    return undefined;
  }
  if (reading.operation !== "requested" && !reading.operationCovers && namesRevision(look)) return obstructed(look);
  const { operation } = snapshot;
  const evidence = [operationEvidence(snapshot, "in progress")];
  if (reading.operation !== "requested" && (operation?.dryRun === true || operation?.partial === true)) {
    const kind = operation.dryRun ? "a dry run" : "a sync of some resources only";
    return { verdict: verdictOf("observed", `${kind} is in progress`, evidence) };
  }
  const message =
    reading.operation === "waiting"
      ? `the sync failed and waits for retry ${operation?.retryCount ?? 0}: ${operation?.message ?? ""}`
      : "Argo CD is syncing";
  return { verdict: verdictOf("syncing", message, evidence) };
}
