import type { FastifyInstance } from "fastify";
import type { HttpDeps } from "../deps.ts";
import { makeDocument } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

/** `GET /openapi.json`: needs no token, it says nothing that the manual does not. Made when it is first asked for. */
export function documentRoutes(app: FastifyInstance, deps: Pick<HttpDeps, "version">): void {
  let text: string | undefined;
  app.get("/openapi.json", (_request, reply) => {
    text ??= JSON.stringify(makeDocument(OPERATIONS, deps.version));
    return reply.type("application/json; charset=utf-8").send(text);
  });
}
