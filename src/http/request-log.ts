import type { FastifyInstance } from "fastify";
import { traceIdOf } from "../model/trace.ts";
import type { HttpDeps } from "./deps.ts";
import { isHealth } from "./guard.ts";
import { traceparentOf } from "./request-context.ts";

/** Counts and logs every request that was answered. */
export function observeRequests(app: FastifyInstance, deps: Pick<HttpDeps, "log" | "metrics">): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method, id, ip } = request;
    const { url } = request.routeOptions;
    const status = reply.statusCode;
    deps.metrics.request({ route: url ?? "unknown", method, status, seconds: reply.elapsedTime / 1_000 });
    const level = isHealth(request) || status < 400 ? "debug" : "info";
    deps.log[level]("request", {
      requestId: id,
      method,
      route: url ?? "",
      status,
      ms: Math.round(reply.elapsedTime),
      subject: request.caller?.subject,
      remote: ip,
      traceId: traceIdOf(traceparentOf(request)),
    });
  });
}
