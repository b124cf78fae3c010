import type { FastifyInstance, FastifyRequest } from "fastify";
import { GitspanError } from "../model/errors.ts";
import type { HttpDeps } from "./deps.ts";
import { KnownPaths, methodNotAllowed, notFound } from "./known-paths.ts";
import { pathOf } from "./replies.ts";

/** What holds for every request, before anything else looks at it. */
export function guard(app: FastifyInstance, deps: Pick<HttpDeps, "shuttingDown">): void {
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

export function isHealth(request: FastifyRequest): boolean {
  return request.routeOptions.url === "/livez" || request.routeOptions.url === "/readyz";
}
