import helmet from "@fastify/helmet";
import limiter from "@fastify/rate-limit";
import fastify, { type FastifyInstance } from "fastify";
import { GitspanError } from "../model/errors.ts";
import { authentication } from "./authentication.ts";
import type { HttpDeps } from "./deps.ts";
import { guard } from "./guard.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { documentRoutes } from "./openapi/document-routes.ts";
import { replyProblem } from "./replies.ts";
import { requestIdOf } from "./request-context.ts";
import { observeRequests } from "./request-log.ts";
import { buildRoutes } from "./routes/builds.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdRoutes } from "./routes/holds.ts";
import { planRoutes } from "./routes/plans.ts";
import { rollbackRoutes } from "./routes/rollbacks.ts";
import { streamRoutes } from "./routes/stream.ts";
import { targetRoutes } from "./routes/targets.ts";
import { replyToBrokenRequest } from "./transport-errors.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;

/**
 * The HTTP application, apart from any socket: `inject` it in tests, `listen` with it in the bridge. Every error is
 * answered as RFC 9457 problem; nothing under `/v1/` but events is answered without a valid token or signature.
 */
export function createApp(deps: HttpDeps): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    trustProxy: deps.trustedProxies?.length ? [...deps.trustedProxies] : false,
    // A missing Host is refused below, with a problem; Node's own refusal has no body.
    http: { headersTimeout: HEADERS_MS, maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false },
    genReqId: (request) => requestIdOf(deps.ids, request),
    // While it stops, the hook below answers.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void replyProblem(deps, error, request, reply),
    clientErrorHandler: (error, socket) => replyToBrokenRequest(deps.ids, error, socket),
  });
  app.decorateRequest("caller", null);
  app.decorateRequest("bodyHash", "");
  app.setErrorHandler((error, request, reply) => replyProblem(deps, error, request, reply));
  acceptJsonOnly(app);
  void app.register(helmet);
  guard(app, deps);
  observeRequests(app, deps);
  documentRoutes(app, deps);

  void app.register(async (open) => healthRoutes(open, deps));
  void app.register(async (events) => eventRoutes(events, deps));
  void app.register(async (api) => {
    const { onRequest, preParsing } = authentication(deps);
    api.addHook("onRequest", onRequest);
    api.addHook("preParsing", preParsing);
    await api.register(limiter, {
      global: false,
      // After the signature, which is known only then, and before the body is parsed.
      hook: "preParsing",
      keyGenerator: (request) => request.caller?.subject ?? request.ip,
      errorResponseBuilder: (_request, { ttl, max }) =>
        new GitspanError("rate-limited", `more than ${max} builds within a minute`, { retryAfterMs: ttl }),
    });
    buildRoutes(api, deps);
    deliveryRoutes(api, deps);
    targetRoutes(api, deps);
    rollbackRoutes(api, deps);
    holdRoutes(api, deps);
    planRoutes(api, deps);
    streamRoutes(api, deps);
  });
  return app;
}
