import type { Evidence } from "../../model/observation.ts";
import { type Draft, type Look, reasonedVerdict, revisionEvidence, syncEvidence, verdictOf } from "./look.ts";
import { operationEvidence } from "./reading.ts";
import { askUntilSeen } from "./refresh.ts";

/** After this an automatic sync that has not begun will not begin by itself. */
const SYNC_STARTS_MS = 30_000;
/** After this an operation that does not go on counts as in our way. */
const STUCK_MS = 60_000;
/** What windows and steps say is asked again no more often than this. */
const INSPECTED_MS = 60_000;

/** Seen, and nobody deploys it: who or what has to. */
export function outOfSync(look: Look): Draft | undefined {
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
  if (!snapshot.automated) return notAutomatic(look, evidence);
  const leftMs = memory.outOfSyncSince + SYNC_STARTS_MS - now;
  if (leftMs > 0) return { verdict: verdictOf("observed", "seen; the sync has not begun", evidence), againMs: leftMs };
  const error = snapshot.conditions.find(({ type }) => type === "SyncError");
  if (error !== undefined) {
    const message = `Argo CD gave up syncing by itself: ${error.message}`;
    const condition = { field: "status.conditions", value: `SyncError: ${error.message}`, rule: "Argo CD's reason" };
    return { verdict: reasonedVerdict("blocked", "sync-error", message, [...evidence, condition]) };
  }
  return windowed(look, evidence);
}

/** No operation and no condition: the sync windows of the project do that (recording l); only REST tells for sure. */
function windowed(look: Look, evidence: Evidence[]): Draft {
  const inspect = askPolicy(look);
  const canSync = look.memory.inspected?.canSync;
  if (canSync === true) {
    const message = "Argo CD does not start the automatic sync, though no sync window denies it";
    return { verdict: verdictOf("observed", message, evidence), ...askUntilSeen(look), inspect };
  }
  const known = { field: "syncwindows.canSync", value: String(canSync), rule: "a window of the project denies syncs" };
  const message =
    canSync === false
      ? "a sync window of the project denies the automatic sync"
      : "Argo CD does not start the automatic sync: most likely a sync window of the project denies it";
  return {
    verdict: reasonedVerdict("blocked", "sync-window", message, canSync === false ? [...evidence, known] : evidence),
    inspect,
  };
}

/** Progressive syncs of an ApplicationSet switch automatic sync off and start each step themselves. */
function notAutomatic(look: Look, evidence: Evidence[]): Draft {
  const { applicationSet } = look.snapshot;
  const policy = { field: "spec.syncPolicy.automated", value: "off", rule: "nobody syncs by itself" };
  const manual = reasonedVerdict("blocked", "manual-sync", "automatic sync is off: somebody has to sync it", [
    ...evidence,
    policy,
  ]);
  if (applicationSet === undefined) return { verdict: manual };
  const inspect = askPolicy(look);
  const step = look.memory.inspected?.rollingSync;
  if (step === "") return { verdict: manual, inspect };
  const owner = {
    field: "status.applicationStatus",
    value: `${applicationSet}: ${step ?? "not readable"}`,
    rule: "its step",
  };
  const message = "automatic sync is off: the step of the ApplicationSet's progressive sync, or a person, starts it";
  return {
    verdict: reasonedVerdict("blocked", "rolling-sync", message, [...evidence, policy, owner]),
    inspect,
  };
}

function askPolicy({ memory, now }: Look): "policy" | undefined {
  return memory.inspected === undefined || now - memory.inspected.at > INSPECTED_MS ? "policy" : undefined;
}

/** An operation keeps the revision it began with; newer commits wait for its end (argo-cd #11494). */
export function obstructed(look: Look): Draft {
  const { snapshot, before, memory, now } = look;
  memory.obstructedSince = before.obstructedSince ?? now;
  const evidence = [operationEvidence(snapshot, "in progress for another commit")];
  const leftMs = memory.obstructedSince + STUCK_MS - now;
  if (leftMs > 0) {
    return { verdict: verdictOf("observed", "waiting for the operation of another commit", evidence), againMs: leftMs };
  }
  const message = "an operation of another commit does not end; terminate it to let this one be synced";
  return { verdict: reasonedVerdict("blocked", "operation-stuck", message, evidence) };
}

/** Says Running, has ended, and nothing goes on with it: left over from a lost update (argo-cd #18613, #23765). */
export function abandoned(look: Look): Draft {
  const { snapshot, before, memory, now } = look;
  memory.abandonedSince = before.abandonedSince ?? now;
  const evidence = [operationEvidence(snapshot, "says that it runs, has ended, and nothing goes on with it")];
  const leftMs = memory.abandonedSince + STUCK_MS - now;
  const asked = askUntilSeen(look);
  if (leftMs > 0) {
    const againMs = Math.min(leftMs, asked.againMs);
    return { verdict: verdictOf("observed", "Argo CD seems to have lost an operation", evidence), ...asked, againMs };
  }
  const message = "Argo CD has lost an operation: it says Running for ever; terminate it or sync by hand";
  return { verdict: reasonedVerdict("blocked", "operation-stuck", message, evidence), ...asked };
}
