import type { FastifyInstance } from "fastify";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { withDeadline } from "../deadline.ts";
import type { HttpDeps, Readiness } from "../deps.ts";

const READY_MS = 5_000;

/** For kubelets and load balancers: no token, nothing secret. A restart helps only when `/livez` fails. */
export function healthRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.get("/livez", () => ({ status: "alive", version: deps.version }));

  app.get<{ Querystring: Record<string, unknown> }>("/readyz", async (request, reply) => {
    const checks = await readChecks(deps);
    const ready = !deps.shuttingDown() && checks.every((check) => check.ok || check.advisory === true);
    const status = deps.shuttingDown() ? "shutting-down" : ready ? "ready" : "not-ready";
    if (!ready) reply.code(503).header("retry-after", "5");
    const verbose = request.query["verbose"] !== undefined;
    return verbose ? { status, checks } : { status };
  });
}

async function readChecks(deps: HttpDeps): Promise<readonly Readiness[]> {
  try {
    return await withDeadline(deps.clock, { ms: READY_MS, late }, () => deps.ready());
  } catch (error) {
    deps.log.warn("readiness is not known", { error });
    const detail = error instanceof GitspanError && error.code === "timed-out" ? messageOf(error) : "see the log";
    return [{ name: "checks", ok: false, detail }];
  }
}

function late(): GitspanError {
  return new GitspanError("timed-out", "the checks did not finish in time");
}
