import type { ErrorCode } from "../model/errors.ts";

interface ProblemKind {
  status: number;
  title: string;
}

const configuration = { status: 500, title: "The configuration is broken" };
const edit = { status: 422, title: "The file cannot be edited" };
const git = { status: 502, title: "The Git server did not do its part" };
const argocd = { status: 502, title: "Argo CD did not do its part" };
const kubernetes = { status: 503, title: "The Kubernetes API did not do its part" };
const registry = { status: 502, title: "The image registry did not do its part" };
const store = { status: 503, title: "The store is not available" };

/** Status and title of every error code; the compiler asks for a line here whenever a code is added. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  "config-unreadable": configuration,
  "config-invalid": configuration,
  "config-unknown-key": configuration,
  "config-not-supported": configuration,
  "edit-parse": edit,
  "edit-not-found": edit,
  "edit-ambiguous": edit,
  "edit-shared-value": edit,
  "edit-unsupported": edit,
  "edit-unproven": edit,
  "edit-too-large": edit,
  "git-unreachable": git,
  "git-auth": git,
  "git-not-found": git,
  "git-branch-missing": git,
  "git-protocol": git,
  "git-too-large": git,
  "git-path-missing": git,
  "git-path-unsafe": git,
  "git-unsupported": git,
  "git-push-refused": git,
  "argocd-unreachable": argocd,
  "argocd-auth": argocd,
  "argocd-forbidden": argocd,
  "argocd-not-found": argocd,
  "argocd-protocol": argocd,
  "registry-unreachable": { ...registry, status: 503 },
  "registry-auth": registry,
  "registry-protocol": registry,
  "provenance-needs-run-end": { status: 409, title: "The provenance comes only after the end of the run" },
  "kubernetes-unavailable": kubernetes,
  "kubernetes-forbidden": kubernetes,
  "kubernetes-protocol": kubernetes,
  "issuer-unavailable": { status: 503, title: "The token's issuer did not do its part" },
  "store-unavailable": store,
  "store-in-use": store,
  "store-migration": store,
  "bad-request": { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "No valid token" },
  forbidden: { status: 403, title: "Not allowed" },
  "not-found": { status: 404, title: "Not found" },
  "run-not-ready": { status: 409, title: "The run is not that far yet" },
  "run-refused": { status: 422, title: "The run does not give what is to be delivered" },
  "rollback-refused": { status: 409, title: "The target cannot be rolled back now" },
  "no-target": { status: 422, title: "No target for this build" },
  "targets-unknown": { status: 503, title: "Not all targets are known yet" },
  "idempotency-mismatch": { status: 422, title: "The Idempotency-Key was used for something else" },
  "payload-too-large": { status: 413, title: "The request is too large" },
  "unsupported-media-type": { status: 415, title: "The media type is not supported" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "rate-limited": { status: 429, title: "Too many requests" },
  "shutting-down": { status: 503, title: "The server is shutting down" },
  busy: { status: 503, title: "The server has as much to do as it can" },
  "event-not-taken": { status: 503, title: "The event could not be taken" },
  unreachable: { status: 502, title: "Something that is needed cannot be reached" },
  "timed-out": { status: 504, title: "It took too long" },
  usage: { status: 400, title: "The request is not valid" },
  internal: { status: 500, title: "Something went wrong inside gitspan" },
};
