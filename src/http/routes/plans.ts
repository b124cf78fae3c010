import type { FastifyInstance } from "fastify";
import { GitspanError } from "../../model/errors.ts";
import { parsePlanBody } from "../build-report.ts";
import { withDeadline } from "../deadline.ts";
import type { HttpDeps } from "../deps.ts";
import { parseWith } from "../parse.ts";
import { noQuery } from "../queries.ts";
import { callerOf } from "../request-context.ts";

const PLAN_MS = 25_000;

export function planRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.post("/v1/plans", async (request) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    const plan = parsePlanBody(request.body, deps.clock.now());
    const settings = deps.settings();
    return withDeadline(deps.clock, { ms: PLAN_MS, late }, (signal) =>
      deps.plans.preview(
        {
          ...plan,
          sees: ({ app: name, environment }) => settings.allows(caller, { action: "read", app: name, environment }),
        },
        signal,
      ),
    );
  });
}

function late(): GitspanError {
  return new GitspanError("timed-out", "the repositories did not answer in time", { transient: true });
}
