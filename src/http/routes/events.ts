import limiter from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type EventResult, takeReading } from "../../delivery/events.ts";
import { GitspanError } from "../../model/errors.ts";
import { withDeadline } from "../deadline.ts";
import type { HttpDeps } from "../deps.ts";
import { eventAuthentication } from "../event-authentication.ts";
import { eventSourceOf } from "../event-source.ts";
import { PROBLEMS } from "../problem-table.ts";
import { replyProblem } from "../replies.ts";
import { traceparentOf } from "../request-context.ts";
import { toGitspanError } from "../translate.ts";

/** An object in etcd has at most 1.5 MiB, and the event holds one. */
const MAX_EVENT_BYTES = 1.5 * 1024 * 1024;
const HANDLE_MS = 10_000;
/** A controller that restarts sends an event for every run that it finds. */
const PER_MINUTE = 6_000;
const RETRY_MS = 1_000;

const PATHS = ["/v1/events/tekton", "/v1/events/tekton/:cluster", "/v1/events/tekton/:cluster/:secret"];

/**
 * CloudEvents of Tekton. Tekton sends an event again, for about 20 s, only after 404, 413, 425, 429, 502, 503 and 504
 * (cloudevents/sdk-go, protocol/http/retries): whatever is our fault is a 503 here, never a 500.
 */
export async function eventRoutes(app: FastifyInstance, deps: HttpDeps): Promise<void> {
  const hooks = eventAuthentication(deps);
  app.setErrorHandler((thrown, request, reply) => {
    const error = withoutFinalFault(toGitspanError(thrown));
    const { status } = PROBLEMS[error.code];
    deps.events?.metrics.event("tekton", status === 503 || status === 429 ? "unavailable" : "refused");
    return replyProblem(deps, error, request, reply);
  });
  app.addHook("onRequest", hooks.onRequest);
  app.addHook("preParsing", hooks.preParsing);
  await app.register(limiter, {
    global: false,
    keyGenerator: (request) => request.caller?.subject ?? request.ip,
    errorResponseBuilder: (_request, { ttl, max }) =>
      new GitspanError("rate-limited", `more than ${max} events within a minute`, { retryAfterMs: ttl }),
  });

  const rateLimit = { max: deps.limits?.eventsPerMinute ?? PER_MINUTE, timeWindow: 60_000, groupId: "events" };
  for (const path of PATHS) {
    app.post(path, { bodyLimit: MAX_EVENT_BYTES, config: { rateLimit } }, async (request, reply) => {
      const result = await withDeadline(deps.clock, { ms: HANDLE_MS, late }, (signal) => take(deps, request, signal));
      deps.events?.metrics.event("tekton", result.kind);
      reply.code(202);
      if (result.kind !== "ignored") {
        deps.log.info("event taken", { build: result.build.id, result: result.kind, subject: result.build.subject });
        return { result: result.kind, build: result.build.id };
      }
      const { reason, detail } = result;
      // Who may not deliver, or sends what cannot be told apart, wants to know; the rest is the daily traffic.
      const level = QUIET.has(reason) ? "debug" : "info";
      deps.log[level]("event ignored", { requestId: request.id, reason, detail, type: request.headers["ce-type"] });
      return { result: result.kind, reason };
    });
  }
}

const QUIET: ReadonlySet<string> = new Set(["not-finished", "part-of-pipeline-run", "custom-run", "other-event"]);

async function take(deps: HttpDeps, request: FastifyRequest, signal: AbortSignal): Promise<EventResult> {
  const source = eventSourceOf(deps.events, request);
  const reading = await source.read({ headers: request.headers, body: request.body }, signal);
  return takeReading(
    { accept: (accepting) => deps.intake.accept(accepting, signal) },
    {
      reading,
      // Who is believed must not speak for namespaces that are not theirs: a token delivers under its own name.
      caller: source.trusted ? (request.caller ?? undefined) : undefined,
      traceparent: traceparentOf(request),
    },
  );
}

/** Tekton gives an event up for good after any other server error. */
function withoutFinalFault(error: GitspanError): GitspanError {
  const { status } = PROBLEMS[error.code];
  if (error.code === "unsupported-media-type") {
    return new GitspanError(error.code, "events come in binary mode: Ce-* headers and a body of application/json");
  }
  if (error.code === "payload-too-large") return new GitspanError(error.code, "the event is larger than 1.5 MiB");
  if (status < 500 || status === 503) return error;
  return new GitspanError("event-not-taken", "the event could not be taken", {
    cause: error,
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}

function late(): GitspanError {
  return new GitspanError("event-not-taken", "the event was not handled in time", {
    transient: true,
    retryAfterMs: RETRY_MS,
  });
}
