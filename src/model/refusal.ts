import { type ErrorCode, GitspanError } from "./errors.ts";

/** Why a caller, or what a caller asked for, was refused: for logs and counters, which may know more than the caller. */
export type RefusalReason =
  // whoever it is, the credential is not good
  | "no-credential"
  | "unknown-token"
  | "signature"
  | "malformed"
  | "expired"
  | "audience"
  | "issuer"
  | "algorithm"
  | "claims"
  | "not-authenticated"
  | "not-a-service-account"
  | "not-bound-to-a-pod"
  // a service account that is known, and what its Pod is
  | "namespace"
  | "pod"
  | "not-a-task"
  | "not-of-the-run"
  // what is asked for
  | "another-run"
  | "another-source"
  | "another-image"
  | "unfinished"
  | "pull-request"
  | "run-failed"
  | "no-image"
  | "no-source"
  | "no-right";

/**
 * A refusal that is counted and logged. The message is for the caller and tells nothing that they do not know; `detail`
 * is for the log and never holds a credential.
 */
export class Refused extends GitspanError {
  readonly reason: RefusalReason;
  readonly detail: string;

  constructor(
    code: Extract<ErrorCode, "unauthenticated" | "forbidden" | "run-not-ready" | "run-refused">,
    refusal: { reason: RefusalReason; message: string; detail?: string; hint?: string },
  ) {
    super(code, refusal.message, { hint: refusal.hint });
    this.reason = refusal.reason;
    this.detail = refusal.detail ?? refusal.message;
  }
}
