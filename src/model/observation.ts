import type { ApplicationRef } from "./application.ts";

export const VERDICT_STATES = [
  "pushed",
  "observed",
  "syncing",
  "rolling",
  "candidate",
  "healthy",
  "blocked",
  "paused",
  "superseded",
  "failed",
  "unknown",
] as const;
export type VerdictState = (typeof VERDICT_STATES)[number];

export type VerdictReason =
  // blocked
  | "manual-sync"
  | "sync-window"
  | "rolling-sync"
  | "skip-reconcile"
  | "sync-error"
  | "no-application"
  | "operation-stuck"
  | "image-mismatch"
  // failed
  | "render"
  | "sync"
  | "degraded"
  | "crashing"
  | "timed-out"
  | "lost"
  // paused
  | "rollout"
  | "suspended";

/** One observed fact and the rule that it satisfied or broke. */
export interface Evidence {
  /** Where it was read: `status.sync.revision`. */
  field: string;
  value: string;
  /** What it means, one clause: "covers the commit". */
  rule: string;
}

/** What Argo CD's reported state proves about a commit. */
export interface Verdict {
  state: VerdictState;
  reason?: VerdictReason;
  message: string;
  evidence: Evidence[];
}

/**
 * What one look must remember for the next one. Times are milliseconds of the judge's clock (database time),
 * `...ReconciledAt` are Argo CD's own strings.
 */
export interface VerdictMemory {
  /** The last snapshot that was judged. */
  resourceVersion?: string;
  /** First time the revision compared covered our commit. */
  observedSince?: number;
  candidateSince?: number;
  /** `reconciledAt` when it became candidate: a healthy verdict needs a later one. */
  candidateReconciledAt?: string;
  degradedSince?: number;
  /** Since when the clock of the timeout stands: blocked, paused, or Argo CD out of reach. */
  blockedSince?: number;
  /** Time that the timeout does not count. */
  blockedMs?: number;
  outOfSyncSince?: number;
  /** A failed operation at our revision that a newer one has since replaced. */
  lastFailedOperation?: string;
  /** When the last refresh was asked for, and how often for the same purpose. */
  refreshedAt?: number;
  refreshes?: number;
  /** `reconciledAt` when the last refresh was asked for: a later one answers it. */
  refreshReconciledAt?: string;
  /** First time a full operation that covers our commit had succeeded. */
  appliedSince?: number;
  /** Since that operation the health was something else than before the push (than Degraded, where that is not known). */
  leftBaseline?: boolean;
  /** `startedAt` of the operation state when it became candidate, and how often it fell from there without a new one. */
  candidateOperation?: string;
  /** `status.health.lastTransitionTime` then: a later one shows a fall that nobody saw. */
  candidateHealthSince?: string;
  flaps?: number;
  /** Since when it has not been ready again after the last fall. */
  fellSince?: number;
  /** A full operation that covers our commit applied manifests with all new images. */
  appliedImages?: boolean;
  /** The most restarts of one new Pod at the last inspection, and since when there are no more. */
  restarts?: number;
  /** Those that do not count: the Pods ran our image before the push. */
  firstRestarts?: number;
  restartsSince?: number;
  /** What the last inspection said of windows and steps, and when. */
  inspected?: { at: number; canSync?: boolean; rollingSync?: string };
  /** Since when an operation of another commit keeps ours waiting. */
  obstructedSince?: number;
  /** Since when a refresh that was asked for is not answered at all. */
  unansweredSince?: number;
  /** Since when an operation says that it runs and nothing goes on with it. */
  abandonedSince?: number;
  /** First time everything was good but the images. */
  mismatchSince?: number;
  /** First sight of a manifest error that the baseline did not have, and `reconciledAt` then. */
  renderSince?: number;
  renderReconciledAt?: string;
}

/** How an Application stood before the push: what was wrong already is not ours. */
export interface Baseline {
  health: string;
  conditions: string[];
  summaryImages: string[];
  degraded: string[];
  finishedAt?: string;
  /** Message of the last operation, if that had failed. */
  failedSync?: string;
}

export interface ApplicationObservation {
  ref: ApplicationRef;
  baseline?: Baseline;
  memory: VerdictMemory;
  verdict?: Verdict;
  /** `startedAt` of the operation that was stopped for a rollback, or could not be. */
  terminated?: string;
}

/** Everything a delivery knows of Argo CD; stored with the row, so that any replica goes on from it. */
export interface Observation {
  /** Database time of the landing. */
  pushedAt: number;
  /** Files that the commit wrote. */
  paths: string[];
  /** References that workloads name once the commit is applied, and those that they named before. */
  newImages: string[];
  oldImages: string[];
  /** Frozen when written. */
  applications: ApplicationObservation[];
  /** Over all Applications. */
  verdict?: Verdict;
}

/** What the judge may know of a revision that Argo CD names, answered from Git. */
export interface RevisionFacts {
  /** The revision is our commit or a descendant of it. */
  covers: boolean;
  /** Whether our values stand in the files at that revision. */
  content: "ours" | "other" | "unknown";
}

export interface JudgeSettings {
  settleMs: number;
  timeoutMs: number;
  /** How long Degraded must last before it counts as failed; 45 s if absent. */
  degradedMs?: number;
}
