import type { Outcome, OutcomeReason } from "../model/delivery.ts";
import { type ErrorCode, GitspanError } from "../model/errors.ts";

/** What the process ends with; a script can rely on these. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  configuration: 3,
  refused: 4,
  timedOut: 5,
  unreachable: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  "config-unreadable": EXIT.configuration,
  "config-invalid": EXIT.configuration,
  "config-unknown-key": EXIT.configuration,
  "config-not-supported": EXIT.configuration,
  "edit-parse": EXIT.failed,
  "edit-not-found": EXIT.failed,
  "edit-ambiguous": EXIT.failed,
  "edit-shared-value": EXIT.failed,
  "edit-unsupported": EXIT.failed,
  "edit-unproven": EXIT.failed,
  "edit-too-large": EXIT.failed,
  "git-unreachable": EXIT.unreachable,
  "git-auth": EXIT.refused,
  "git-not-found": EXIT.failed,
  "git-branch-missing": EXIT.failed,
  "git-protocol": EXIT.failed,
  "git-too-large": EXIT.failed,
  "git-path-missing": EXIT.failed,
  "git-path-unsafe": EXIT.failed,
  "git-unsupported": EXIT.failed,
  "git-push-refused": EXIT.refused,
  "argocd-unreachable": EXIT.unreachable,
  "argocd-auth": EXIT.refused,
  "argocd-forbidden": EXIT.refused,
  "argocd-not-found": EXIT.failed,
  "argocd-protocol": EXIT.failed,
  "registry-unreachable": EXIT.unreachable,
  "registry-auth": EXIT.refused,
  "registry-protocol": EXIT.failed,
  "provenance-needs-run-end": EXIT.refused,
  "kubernetes-unavailable": EXIT.unreachable,
  "kubernetes-forbidden": EXIT.refused,
  "kubernetes-protocol": EXIT.failed,
  "issuer-unavailable": EXIT.unreachable,
  "store-unavailable": EXIT.unreachable,
  "store-in-use": EXIT.failed,
  "store-migration": EXIT.failed,
  "bad-request": EXIT.usage,
  unauthenticated: EXIT.refused,
  forbidden: EXIT.refused,
  "not-found": EXIT.failed,
  "no-target": EXIT.refused,
  "targets-unknown": EXIT.unreachable,
  "run-not-ready": EXIT.unreachable,
  "run-refused": EXIT.refused,
  "rollback-refused": EXIT.refused,
  "idempotency-mismatch": EXIT.failed,
  "payload-too-large": EXIT.usage,
  "unsupported-media-type": EXIT.usage,
  "method-not-allowed": EXIT.usage,
  "rate-limited": EXIT.unreachable,
  "shutting-down": EXIT.unreachable,
  busy: EXIT.unreachable,
  "event-not-taken": EXIT.unreachable,
  unreachable: EXIT.unreachable,
  "timed-out": EXIT.timedOut,
  usage: EXIT.usage,
  internal: EXIT.failed,
};

const BY_OUTCOME: Readonly<Record<Outcome, ExitCode>> = {
  healthy: EXIT.ok,
  superseded: EXIT.ok,
  rejected: EXIT.refused,
  failed: EXIT.failed,
  overridden: EXIT.failed,
  cancelled: EXIT.failed,
};

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(BY_ERROR, text);
}

export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof GitspanError ? BY_ERROR[error.code] : EXIT.failed;
}

/**
 * Of deliveries as far as they have ended: one that failed outweighs one that was refused, that one outweighs success.
 * Targets that are not there do not count, unless nothing else is.
 */
export function exitCodeOfOutcomes(deliveries: readonly { outcome?: Outcome; reason?: OutcomeReason }[]): ExitCode {
  const counting = deliveries.filter(({ reason }) => reason !== "target-removed");
  if (counting.length === 0 && deliveries.length > 0) return EXIT.refused;
  const codes = new Set(counting.map(({ outcome }) => (outcome === undefined ? EXIT.ok : BY_OUTCOME[outcome])));
  return [EXIT.failed, EXIT.refused].find((code) => codes.has(code)) ?? EXIT.ok;
}
