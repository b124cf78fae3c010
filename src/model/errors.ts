/**
 * Every way gitspan can fail that somebody may have to act on. The union is closed: a new failure is a new member here,
 * so that the HTTP problem table, the CLI exit codes and the docs can be checked for completeness.
 */
export type ErrorCode =
  // configuration
  | "config-unreadable"
  | "config-invalid"
  | "config-unknown-key"
  | "config-not-supported"
  // overlays: editing files
  | "edit-parse"
  | "edit-not-found"
  | "edit-ambiguous"
  | "edit-shared-value"
  | "edit-unsupported"
  | "edit-unproven"
  | "edit-too-large"
  // git
  | "git-unreachable"
  | "git-auth"
  | "git-not-found"
  | "git-branch-missing"
  | "git-protocol"
  | "git-too-large"
  | "git-path-missing"
  | "git-path-unsafe"
  | "git-unsupported"
  | "git-push-refused"
  // Argo CD
  | "argocd-unreachable"
  | "argocd-auth"
  | "argocd-forbidden"
  | "argocd-not-found"
  | "argocd-protocol"
  // image registries, and what is proven by what lies in them
  | "registry-unreachable"
  | "registry-auth"
  | "registry-protocol"
  | "provenance-needs-run-end"
  // the Kubernetes API, where runs are read
  | "kubernetes-unavailable"
  | "kubernetes-forbidden"
  | "kubernetes-protocol"
  // where other CIs' tokens come from
  | "issuer-unavailable"
  // store
  | "store-unavailable"
  | "store-in-use"
  | "store-migration"
  // requests
  | "bad-request"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "no-target"
  | "targets-unknown"
  | "run-not-ready"
  | "run-refused"
  | "rollback-refused"
  | "idempotency-mismatch"
  | "payload-too-large"
  | "unsupported-media-type"
  | "method-not-allowed"
  | "rate-limited"
  | "shutting-down"
  | "busy"
  | "event-not-taken"
  // the rest of the world
  | "unreachable"
  | "timed-out"
  | "usage"
  | "internal";

/** A place in a text file; line and column are 1-based, as editors show them. */
export interface SourcePosition {
  file: string;
  line: number;
  column: number;
}

export interface ErrorDetails {
  /** What the reader can do about it, one sentence. */
  hint?: string;
  at?: SourcePosition;
  cause?: unknown;
  /** True when the same call may succeed later without anybody changing anything. */
  transient?: boolean;
  /** Milliseconds to wait before trying again, where the other side said so. */
  retryAfterMs?: number;
}

/** The one error class: `code` for programs, `message` and `hint` for people. */
export class GitspanError extends Error {
  override readonly name = "GitspanError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly at: SourcePosition | undefined;
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.at = details.at;
    this.transient = details.transient ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Narrows to a GitspanError, optionally of one code. */
export function isGitspanError(error: unknown, code?: ErrorCode): error is GitspanError {
  return error instanceof GitspanError && (code === undefined || error.code === code);
}

/** True when waiting and trying the same call again can help. */
export function isTransient(error: unknown): boolean {
  return error instanceof GitspanError && error.transient;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
