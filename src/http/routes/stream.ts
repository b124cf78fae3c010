import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../../model/access.ts";
import { GitspanError } from "../../model/errors.ts";
import type { FeedEvent, FeedPage } from "../../model/reading.ts";
import type { HttpDeps } from "../deps.ts";
import { formatEvent, formatPosition, writeSlowly } from "../event-sink.ts";
import { parseWith } from "../parse.ts";
import { lastEventIdHeader, targetsFilter } from "../queries.ts";
import { callerOf } from "../request-context.ts";
import { feedEventShape } from "../shapes.ts";
import { maySee } from "../visibility.ts";

const MAX_STREAMS = 100;
const PAGE = 100;
/** Below the minute after which proxies cut what is silent. */
const HEARTBEAT_MS = 15_000;
/** A change may be committed between a reading and the wait for it: look again anyway. */
const LOOK_AGAIN_MS = 2_000;
/** However much happens, one stream reads at most ten times a second. */
const MIN_GAP_MS = 100;
/** How long a reader waits before it comes back. */
const RETRY_MS = 2_000;
/** Then the reader has to come back, and show that its token is still good. */
const MAX_STREAM_MS = 15 * 60_000;

interface Following {
  caller: Caller;
  wanted: { app?: string | undefined; environment?: string | undefined };
  response: ServerResponse;
  signal: AbortSignal;
}

/** `GET /v1/stream`: what happens to deliveries, as it happens (server-sent events). */
export function streamRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const read = sharedReads(deps);
  const max = deps.limits?.streams ?? MAX_STREAMS;
  const closing = new AbortController();
  let open = 0;
  app.addHook("preClose", async () => closing.abort(new Error("the server stops")));

  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const caller = callerOf(request);
    const wanted = parseWith(targetsFilter, request.query, "the query");
    const after = parseWith(lastEventIdHeader, request.headers["last-event-id"], "Last-Event-ID");
    if (open >= max) throw tooMany(max);
    deps.metrics.streams(++open);
    try {
      const first = await read(after);
      reply.hijack();
      const response = reply.raw;
      const gone = new AbortController();
      response.once("close", () => gone.abort(new Error("the reader went away")));
      response.writeHead(200, { ...openHeaders(reply), "content-type": "text/event-stream; charset=utf-8" });
      const signal = AbortSignal.any([gone.signal, closing.signal]);
      await follow(deps, read, first, { caller, wanted, response, signal });
    } finally {
      deps.metrics.streams(--open);
    }
  };
  app.route({ method: "GET", url: "/v1/stream", exposeHeadRoute: false, handler });
}

async function follow(
  deps: HttpDeps,
  read: (after: number) => Promise<FeedPage>,
  first: FeedPage,
  { caller, wanted, response, signal }: Following,
): Promise<void> {
  const { clock } = deps;
  const end = clock.now() + MAX_STREAM_MS;
  let page = first;
  let wroteAt = clock.now();
  const write = async (text: string): Promise<void> => {
    await writeSlowly(deps, response, text, signal);
    wroteAt = clock.now();
  };
  try {
    await write(`retry: ${RETRY_MS}\nid: ${page.items[0] === undefined ? page.last : page.items[0].id - 1}\n\n`);
    while (!deps.shuttingDown() && clock.now() < end) {
      const readAt = clock.now();
      const text = page.items.filter((event) => isFor(deps, caller, wanted, event)).map(toText);
      if (text.length > 0) await write(text.join(""));
      else if (clock.now() - wroteAt >= HEARTBEAT_MS) await write(formatPosition(page.last));
      if (page.items.length < PAGE) {
        const silence = Math.max(MIN_GAP_MS, wroteAt + HEARTBEAT_MS - clock.now());
        await deps.store.waitForChange(Math.min(LOOK_AGAIN_MS, silence), signal);
        const early = readAt + MIN_GAP_MS - clock.now();
        if (early > 0) await clock.sleep(early, signal);
      }
      page = await read(page.last);
    }
    response.end();
  } catch (error) {
    if (!signal.aborted) deps.log.info("an event stream was cut", { subject: caller.subject, error });
    // Whatever it has not taken by now, it reads again when it resumes.
    if (signal.aborted) response.end();
    else response.destroy();
  }
}

function isFor(deps: HttpDeps, caller: Caller, wanted: Following["wanted"], { delivery }: FeedEvent): boolean {
  const { app = delivery.app, environment = delivery.environment } = wanted;
  return app === delivery.app && environment === delivery.environment && maySee(deps.settings(), caller, delivery);
}

function toText(event: FeedEvent): string {
  return formatEvent({ id: event.id, name: "delivery", data: feedEventShape(event) });
}

/** Streams that stand at the same place, as most do, share one reading. */
function sharedReads({ store }: Pick<HttpDeps, "store">): (after: number | undefined) => Promise<FeedPage> {
  const underWay = new Map<number | undefined, Promise<FeedPage>>();
  return (after) => {
    const known = underWay.get(after);
    if (known !== undefined) return known;
    const reading = store.eventsAfter(after, PAGE).finally(() => underWay.delete(after));
    underWay.set(after, reading);
    return reading;
  };
}

/** What the hooks have set so far; proxies are asked not to collect what we send. */
function openHeaders(reply: FastifyReply): Record<string, string> {
  const set = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return { ...Object.fromEntries(set), "x-accel-buffering": "no" };
}

function tooMany(max: number): GitspanError {
  return new GitspanError("busy", `there are ${max} event streams open already`, {
    hint: "Try again later, ask another replica, or ask for the deliveries page by page.",
    transient: true,
    retryAfterMs: 10_000,
  });
}
