import type { FastifyInstance } from "fastify";
import type { Caller } from "../../model/access.ts";
import type { Build, BuildReport } from "../../model/build.ts";
import type { Delivery } from "../../model/delivery.ts";
import { GitspanError } from "../../model/errors.ts";
import { traceIdOf } from "../../model/trace.ts";
import type { Bearer } from "../bearers.ts";
import { parseBuildReport, parseRunClaim } from "../build-report.ts";
import { withDeadline } from "../deadline.ts";
import type { HttpDeps } from "../deps.ts";
import { idOf } from "../ids.ts";
import { parseWith } from "../parse.ts";
import { noQuery, waitQuery } from "../queries.ts";
import { callerOf, idempotencyOf, traceparentOf } from "../request-context.ts";
import { buildLink, buildShape, isDone, isWritten } from "../shapes.ts";
import { maySee } from "../visibility.ts";
import { readUntil, untilDisconnect } from "../wait.ts";

const MAX_BUILD_BYTES = 256 * 1024;
const ACCEPT_MS = 30_000;
const PAGE = 200;

interface SeenBuild {
  build: Build;
  deliveries: Delivery[];
  /** The target whose proof can only come after what the caller waits in. */
  waitsForItself: string | undefined;
}

export function buildRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const rateLimit = { max: deps.limits?.buildsPerMinute ?? 300, timeWindow: 60_000 };

  const bodyLimit = deps.limits?.buildBytes ?? MAX_BUILD_BYTES;
  app.post("/v1/builds", { bodyLimit, config: { rateLimit } }, async (request, reply) => {
    const caller = callerOf(request);
    parseWith(noQuery, request.query, "the query");
    const idempotency = idempotencyOf(request);
    const traceparent = traceparentOf(request);
    const accepted = await withDeadline(deps.clock, { ms: ACCEPT_MS, late: notStored }, async (signal) => {
      const report = await reportOf(deps, caller, request.body, signal);
      const { subject, groups } = caller;
      const traced = { ...report, ...(traceparent ? { traceparent } : {}) };
      return await deps.intake.accept({ report: traced, caller: { subject, groups }, idempotency }, signal);
    });
    const { build } = accepted;
    deps.log.info("build received", {
      build: build.id,
      result: accepted.kind,
      subject: caller.subject,
      requestId: request.id,
      traceId: traceIdOf(build.traceparent),
    });
    reply.code(accepted.kind === "repeat" ? 200 : 202).header("location", buildLink(build.id));
    return buildShape(build, visible(deps, caller, accepted.deliveries));
  });

  app.get<{ Params: { id: string } }>("/v1/builds/:id", async (request, reply) => {
    const caller = callerOf(request);
    const query = parseWith(waitQuery, request.query, "the query");
    const id = idOf(request.params.id, "build");
    const settled = query.until === "written" ? isWritten : isDone;
    const seen = await readUntil(deps, {
      read: () => readBuild(deps, caller, id),
      settled: (value) => value === undefined || value.waitsForItself !== undefined || value.deliveries.every(settled),
      waitMs: query.wait,
      signal: untilDisconnect(reply.raw),
    });
    if (seen === undefined) throw new GitspanError("not-found", "there is no such build");
    if (query.wait > 0 && seen.waitsForItself !== undefined) throw needsRunEnd(seen.waitsForItself);
    return buildShape(seen.build, seen.deliveries);
  });
}

/** From the caller's own run where there is one; else from the request, as far as the caller's token does not contradict. */
async function reportOf(deps: HttpDeps, caller: Bearer, body: unknown, signal: AbortSignal): Promise<BuildReport> {
  if (caller.report !== undefined) return await caller.report(parseRunClaim(body), signal);
  const report = parseBuildReport(body, deps.clock.now());
  caller.vouches?.(report.source);
  return report;
}

/** Undefined when there is no such build or the caller may see none of its deliveries: nobody can tell which. */
async function readBuild(deps: HttpDeps, caller: Bearer, id: string): Promise<SeenBuild | undefined> {
  const build = await deps.store.build(id);
  if (build === undefined) return undefined;
  const deliveries: Delivery[] = [];
  let cursor: string | undefined;
  do {
    const page = await deps.store.deliveries({ buildId: id, limit: PAGE, cursor });
    deliveries.push(...visible(deps, caller, page.items));
    cursor = page.next;
  } while (cursor !== undefined);
  const waitsForItself = selfWaiting(deps.settings(), caller, build, deliveries);
  return deliveries.length === 0 ? undefined : { build, deliveries, waitsForItself };
}

/**
 * Tekton Chains signs a PipelineRun after its end: whoever waits for that inside of the run waits for ever. Inside is a task
 * of the run, and whoever reported a run that had not ended.
 */
function selfWaiting(
  settings: ReturnType<HttpDeps["settings"]>,
  caller: Bearer,
  { subject, run }: Build,
  deliveries: readonly Delivery[],
): string | undefined {
  if (run?.kind !== "PipelineRun") return undefined;
  const isReporter = caller.subject === subject && run.finishedAt === undefined;
  // A task of another run of the same account is not inside of this one.
  const isInside = caller.runUid === undefined ? isReporter : caller.runUid === run.uid;
  if (!isInside) return undefined;
  return deliveries.find(
    ({ waitReason, targetId }) =>
      waitReason === "signature" && settings.target(targetId)?.policy.trust?.provenance === "pipelinerun",
  )?.targetId;
}

function needsRunEnd(targetId: string): GitspanError {
  const message = `${targetId} wants provenance of the whole run, which is made only after the run has ended`;
  return new GitspanError("provenance-needs-run-end", message, {
    hint: "Do not wait inside of the run: it is delivered afterwards. Or set `provenance: taskrun`.",
  });
}

function visible(deps: HttpDeps, caller: Caller, deliveries: readonly Delivery[]): Delivery[] {
  const settings = deps.settings();
  return deliveries.filter((delivery) => maySee(settings, caller, delivery));
}

function notStored(): GitspanError {
  return new GitspanError("store-unavailable", "the store did not answer in time", { transient: true });
}
