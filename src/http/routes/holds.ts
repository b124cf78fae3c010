import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type HoldDeps, namesOf, noTarget, placeHold, removeHold } from "../../delivery/hold.ts";
import type { Caller } from "../../model/access.ts";
import { GitspanError } from "../../model/errors.ts";
import type { Hold } from "../../model/hold.ts";
import { type Digest, isDigest } from "../../model/image.ts";
import type { HttpDeps } from "../deps.ts";
import { idOf } from "../ids.ts";
import { parseWith, plainText } from "../parse.ts";
import { noQuery, targetsFilter } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import { holdLink, holdShape } from "../shapes.ts";
import { maySee } from "../visibility.ts";

export const newHoldBody = z.strictObject({
  target: z.string().regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/, "must be app/environment"),
  digest: z
    .custom<Digest>(
      (value) => typeof value === "string" && isDigest(value),
      "must be sha256: and 64 lower-case hexadecimal digits",
    )
    .meta({ type: "string", pattern: "^sha256:[0-9a-f]{64}$" })
    .optional(),
  why: plainText(500),
  until: z.iso
    .datetime({ offset: true, error: "must be an ISO 8601 time with a zone, as 2026-01-31T12:00:00Z" })
    .transform((text) => Date.parse(text))
    .optional(),
});

export function holdRoutes(app: FastifyInstance, deps: HttpDeps & HoldDeps): void {
  app.get("/v1/holds", async (request) => {
    const query = parseWith(targetsFilter, request.query, "the query");
    const seen = await visibleHolds(deps, callerOf(request));
    const items = seen.filter(({ targetId }) => {
      const { app: name, environment } = namesOf(targetId);
      return name === (query.app ?? name) && environment === (query.environment ?? environment);
    });
    return { items: items.map(holdShape) };
  });

  app.get<{ Params: { id: string } }>("/v1/holds/:id", async (request) => {
    parseWith(noQuery, request.query, "the query");
    return holdShape(await findHold(deps, callerOf(request), request.params.id));
  });

  app.post("/v1/holds", async (request, reply) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    const { target, ...rest } = parseWith(newHoldBody, request.body, "the hold");
    if (!maySee(deps.settings(), caller, namesOf(target))) throw noTarget(target);
    const { hold, alreadyBeingPushed } = await placeHold(deps, { caller, targetId: target, ...rest });
    reply.code(201).header("location", holdLink(hold.id));
    return { ...holdShape(hold), alreadyBeingPushed };
  });

  app.delete<{ Params: { id: string } }>("/v1/holds/:id", async (request, reply) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    await removeHold(deps, { caller, hold: await findHold(deps, caller, request.params.id) });
    return reply.code(204).send();
  });
}

async function visibleHolds(deps: HttpDeps & HoldDeps, caller: Caller): Promise<Hold[]> {
  const settings = deps.settings();
  return (await deps.store.allHolds()).filter((hold) => maySee(settings, caller, namesOf(hold.targetId)));
}

async function findHold(deps: HttpDeps & HoldDeps, caller: Caller, text: string): Promise<Hold> {
  const id = idOf(text, "hold");
  const hold = (await visibleHolds(deps, caller)).find((one) => one.id === id);
  if (hold === undefined) throw new GitspanError("not-found", "there is no such hold");
  return hold;
}
