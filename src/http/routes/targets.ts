import type { FastifyInstance } from "fastify";
import { type HoldDeps, namesOf, noTarget, releaseTarget } from "../../delivery/hold.ts";
import type { Caller } from "../../model/access.ts";
import type { HttpDeps } from "../deps.ts";
import { parseWith } from "../parse.ts";
import { noQuery, targetsQuery } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import type { TargetBody } from "../responses.ts";
import { targetShape } from "../shapes.ts";
import { maySee } from "../visibility.ts";

interface Names {
  app: string;
  environment: string;
}

export function targetRoutes(app: FastifyInstance, deps: HttpDeps & HoldDeps): void {
  app.get("/v1/targets", async (request) => {
    const { limit, cursor = "", ...names } = parseWith(targetsQuery, request.query, "the query");
    const ids = (await visibleIds(deps, callerOf(request), names)).filter((id) => id > cursor);
    const page = ids.slice(0, limit);
    const items = await shapesOf(deps, page);
    return ids.length > page.length ? { items, next: page.at(-1) } : { items };
  });

  app.get<{ Params: Names }>("/v1/targets/:app/:environment", async (request) => {
    parseWith(noQuery, request.query, "the query");
    return readTarget(deps, callerOf(request), request.params);
  });

  app.post<{ Params: Names }>("/v1/targets/:app/:environment/release", async (request) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    await readTarget(deps, caller, request.params);
    const released = await releaseTarget(deps, { caller, targetId: idOfNames(request.params) });
    return { ...(await readTarget(deps, caller, request.params)), released };
  });
}

/** The configured ones, and those that a pattern made of builds that came in. Sorted. */
async function visibleIds(deps: HttpDeps & HoldDeps, caller: Caller, wanted: Partial<Names>): Promise<string[]> {
  const settings = deps.settings();
  const ids = new Set(settings.targets().map(({ id }) => id));
  for (const id of await deps.store.targetIds()) {
    if (settings.target(id) !== undefined) ids.add(id);
  }
  return [...ids].sort().filter((id) => {
    const names = namesOf(id);
    return (
      names.app === (wanted.app ?? names.app) &&
      names.environment === (wanted.environment ?? names.environment) &&
      maySee(settings, caller, names)
    );
  });
}

async function readTarget(deps: HttpDeps & HoldDeps, caller: Caller, names: Names): Promise<TargetBody> {
  const id = idOfNames(names);
  const [shape] = maySee(deps.settings(), caller, names) ? await shapesOf(deps, [id]) : [];
  if (shape === undefined) throw noTarget(id);
  return shape;
}

async function shapesOf(deps: HttpDeps, ids: readonly string[]): Promise<TargetBody[]> {
  const settings = deps.settings();
  const [states, holds] = await Promise.all([deps.store.targetStates(ids), deps.store.holds(ids)]);
  return ids.flatMap((id) => {
    const target = settings.target(id);
    if (target === undefined) return [];
    return [targetShape({ target, state: states.get(id), holds: holds.filter((hold) => hold.targetId === id) })];
  });
}

function idOfNames({ app, environment }: Names): string {
  return `${app}/${environment}`;
}
