import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { noTarget } from "../../delivery/hold.ts";
import { type RollbackDeps, startRollback } from "../../delivery/rollback.ts";
import type { HttpDeps } from "../deps.ts";
import { parseWith, plainText } from "../parse.ts";
import { noQuery } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import { deliveryLink, deliveryShape } from "../shapes.ts";
import { maySee } from "../visibility.ts";

export const newRollbackBody = z.strictObject({
  why: plainText(500).describe("Goes into the commit message and the holds"),
});

interface Names {
  app: string;
  environment: string;
}

export function rollbackRoutes(app: FastifyInstance, deps: HttpDeps & RollbackDeps): void {
  app.post<{ Params: Names }>("/v1/targets/:app/:environment/rollbacks", async (request, reply) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    const { why } = parseWith(newRollbackBody, request.body, "the rollback");
    const targetId = `${request.params.app}/${request.params.environment}`;
    if (!maySee(deps.settings(), caller, request.params)) throw noTarget(targetId);
    const { kind, delivery } = await startRollback(deps, { caller, targetId, why });
    reply.code(kind === "begun" ? 202 : 200).header("location", deliveryLink(delivery.id));
    return deliveryShape(delivery);
  });
}
