import helmet from "@fastify/helmet";
import limiter from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { GitspanError } from "../model/errors.ts";
import { authenticate } from "./authentication.ts";
import type { HttpDeps } from "./deps.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { KnownPaths, methodNotAllowed, notFound } from "./known-paths.ts";
import { pathOf, replyProblem } from "./replies.ts";
import { requestIdOf } from "./request-context.ts";
import { buildRoutes } from "./routes/builds.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { healthRoutes } from "./routes/health.ts";
import { replyToBrokenRequest } from "./transport-errors.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;

/**
 * The HTTP application, apart from any socket: `inject` it in tests, `listen` with it in the bridge. Every error is
 * answered as RFC 9457 problem; nothing under `/v1/` is answered without a valid token.
 */
export function createApp(deps: HttpDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    // A missing Host is refused below, with a problem; Node's own refusal has no body.
    http: { headersTimeout: HEADERS_MS, maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false },
    genReqId: (request) => requestIdOf(deps.ids, request),
    // While it stops, the hook below answers.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void replyProblem(deps.log, error, request, reply),
    clientErrorHandler: (error, socket) => replyToBrokenRequest(deps.ids, error, socket),
  });
  app.decorateRequest("caller", null);
  app.decorateRequest("bodyHash", "");
  app.setErrorHandler((error, request, reply) => replyProblem(deps.log, error, request, reply));
  acceptJsonOnly(app);
  void app.register(helmet);
  guard(app, deps);
  logRequests(app, deps);

  void app.register(async (open) => healthRoutes(open, deps));
  void app.register(async (api) => {
    api.addHook("onRequest", authenticate(deps));
    await api.register(limiter, {
      global: false,
      keyGenerator: (request) => request.caller?.subject ?? request.ip,
      errorResponseBuilder: (_request, { ttl, max }) =>
        new GitspanError("rate-limited", `more than ${max} builds within a minute`, { retryAfterMs: ttl }),
    });
    buildRoutes(api, deps);
    deliveryRoutes(api, deps);
  });
  return app;
}

/** What holds for every request, before anything else looks at it. */
function guard(app: FastifyInstance, deps: HttpDeps): void {
  const paths = new KnownPaths();
  let closing = false;
  app.addHook("onRoute", (route) => paths.add(route.url, route.method));
  app.addHook("preClose", async () => {
    closing = true;
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, "cache-control": "no-store" });
    if (request.is404) {
      const methods = paths.methodsOf(pathOf(request));
      if (methods === undefined) throw notFound();
      reply.header("allow", methods.join(", "));
      throw methodNotAllowed(request.method, methods);
    }
    if (request.raw.httpVersion === "1.1" && request.headers.host === undefined) {
      throw new GitspanError("bad-request", "the request has no Host header");
    }
    if ((closing || deps.shuttingDown()) && !isHealth(request)) {
      reply.header("connection", "close");
      throw new GitspanError("shutting-down", "the server is shutting down", {
        hint: "Send the request again: another replica, or this one after its restart, will take it.",
        transient: true,
        retryAfterMs: 1_000,
      });
    }
  });
}

function logRequests(app: FastifyInstance, deps: HttpDeps): void {
  app.addHook("onResponse", async (request, reply) => {
    const level = isHealth(request) || reply.statusCode < 400 ? "debug" : "info";
    deps.log[level]("request", {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? "",
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      subject: request.caller?.subject,
      remote: request.ip,
    });
  });
}

function isHealth(request: FastifyRequest): boolean {
  return request.routeOptions.url === "/livez" || request.routeOptions.url === "/readyz";
}
