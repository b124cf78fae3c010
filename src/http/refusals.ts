import type { FastifyRequest } from "fastify";
import type { GitspanError } from "../model/errors.ts";
import { type RefusalReason, Refused } from "../model/refusal.ts";
import type { HttpDeps } from "./deps.ts";

/** Logs and counts a caller, or what a caller asked for, that was refused for lack of proof or of a right. */
export function noteRefusal(
  deps: Pick<HttpDeps, "log" | "metrics">,
  error: GitspanError,
  request: FastifyRequest,
): void {
  const refusal = refusalOf(error);
  if (refusal === undefined) return;
  deps.metrics.refused(refusal.reason);
  // A task that is told to wait for another one comes again every few seconds.
  const level = error.code === "run-not-ready" ? "info" : "warn";
  deps.log[level]("a caller was refused", {
    ...refusal,
    code: error.code,
    requestId: request.id,
    route: request.routeOptions.url,
    address: request.ip,
    subject: request.caller?.subject,
  });
}

function refusalOf(error: GitspanError): { reason: RefusalReason; detail: string } | undefined {
  if (error instanceof Refused) return { reason: error.reason, detail: error.detail };
  return error.code === "forbidden" ? { reason: "no-right", detail: error.message } : undefined;
}
