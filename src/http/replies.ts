import type { FastifyReply, FastifyRequest } from "fastify";
import type { GitspanError } from "../model/errors.ts";
import type { HttpDeps } from "./deps.ts";
import { PROBLEM_TYPE, problemHeaders, problemOf } from "./problem.ts";
import { noteRefusal } from "./refusals.ts";
import { toGitspanError } from "./translate.ts";

/** Answers with the problem that an error is, and logs what the caller is not told; refusals are counted too. */
export async function replyProblem(
  deps: Pick<HttpDeps, "log" | "metrics">,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const error = toGitspanError(thrown);
  noteRefusal(deps, error, request);
  const problem = problemOf(error, { instance: instanceOf(request), requestId: request.id });
  if (problem.status >= 500 && error.code !== "shutting-down") {
    deps.log.error("request failed", { requestId: request.id, route: request.routeOptions.url, error: rootOf(error) });
  }
  for (const [name, value] of Object.entries(problemHeaders(error))) {
    if (!reply.hasHeader(name)) reply.header(name, value);
  }
  return reply
    .code(problem.status)
    .headers({ "x-request-id": request.id, "cache-control": "no-store" })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

/** Without the query: it may hold what does not belong into logs. */
export function pathOf(request: FastifyRequest): string {
  const end = request.url.search(/[?#;]/);
  return end < 0 ? request.url : request.url.slice(0, end);
}

/** The path as it may be shown: a secret at its end stays out. */
function instanceOf(request: FastifyRequest): string {
  const isSecret = request.routeOptions.url?.endsWith("/:secret") === true;
  return isSecret ? pathOf(request).replace(/[^/]*$/, ":secret") : pathOf(request);
}

function rootOf(error: GitspanError): unknown {
  return error.code === "internal" && error.cause !== undefined ? error.cause : error;
}
