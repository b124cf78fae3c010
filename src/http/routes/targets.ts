import type { FastifyInstance } from "fastify";
import { type HoldDeps, missingTarget, namesOf, noTarget, releaseTarget } from "../../delivery/hold.ts";
import type { Caller } from "../../model/access.ts";
import type { HttpDeps } from "../deps.ts";
import { parseWith } from "../parse.ts";
import { noQuery, targetsQuery } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import type { RefusedBody, TargetBody } from "../responses.ts";
import { refusedShape, targetShape } from "../shapes.ts";
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
    const refused = cursor === "" ? refusedFor(deps, callerOf(request), names) : [];
    return { items, ...(refused.length > 0 && { refused }), ...(ids.length > page.length && { next: page.at(-1) }) };
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

/** The first hundred: who annotates without end shall not fill the answer. */
const MAX_REFUSED = 100;

/** Annotated Applications that are no targets, for those who might see the target that each would be. */
function refusedFor(deps: HttpDeps, caller: Caller, wanted: Partial<Names>): RefusedBody[] {
  const settings = deps.settings();
  const seen = settings.refused().filter(({ app, environment }) => {
    const isWanted =
      app === (wanted.app ?? app) && (wanted.environment === undefined || wanted.environment === environment);
    // Without an environment only who may see the app everywhere is told.
    return isWanted && maySee(settings, caller, { app, environment: environment ?? "*" });
  });
  return seen.slice(0, MAX_REFUSED).map(refusedShape);
}

async function readTarget(deps: HttpDeps & HoldDeps, caller: Caller, names: Names): Promise<TargetBody> {
  const id = idOfNames(names);
  if (!maySee(deps.settings(), caller, names)) throw noTarget(id);
  const [shape] = await shapesOf(deps, [id]);
  if (shape === undefined) throw missingTarget(deps.settings(), id);
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
