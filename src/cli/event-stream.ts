import type { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { GitspanError, isTransient } from "../model/errors.ts";
import { authorizationOf, routeOf, unreachable } from "./api.ts";
import type { Io } from "./io.ts";
import { problemError } from "./problem-error.ts";
import { pauseAfter } from "./retry.ts";
import type { Server } from "./server.ts";

/** The server says something every 15 s; a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const DATA_LINE = /^data: ?(.*)$/;
const ID_LINE = /^id: ?(.*)$/;

export interface StreamInput {
  path: string;
  query: Readonly<Record<string, string | undefined>>;
  /** Begin after this event instead of now. */
  after: string | undefined;
}

/**
 * The data of every event of a stream, for ever: a connection that ends or is lost is opened again where it was.
 * Throws what does not pass, what keeps the first connection from being made, and the signal's reason when aborted.
 */
export async function* followStream(io: Io, server: Server, input: StreamInput): AsyncGenerator<string> {
  const position = { last: input.after };
  for (let failures = 0, opened = false; ; ) {
    try {
      const response = await openStream(io, server, { ...input, after: position.last });
      opened = true;
      for await (const data of eventsOf(io, response, position)) {
        failures = 0;
        yield data;
      }
    } catch (error) {
      io.signal.throwIfAborted();
      if (!opened || !isTransient(error)) throw error;
    }
    await io.clock.sleep(pauseAfter(io.random, ++failures, undefined), io.signal);
  }
}

async function openStream(io: Io, server: Server, { path, query, after }: StreamInput): Promise<Readable> {
  const { default: axios } = await import("axios");
  try {
    const { status, data, headers } = await axios.request<Readable>({
      ...routeOf(server),
      url: new URL(path, server.url).href,
      params: query,
      headers: {
        accept: "text/event-stream, application/problem+json",
        ...(await authorizationOf(server)),
        ...(after === undefined ? {} : { "last-event-id": after }),
      },
      signal: io.signal,
      responseType: "stream",
    });
    if (status === 200 && String(headers["content-type"]).startsWith("text/event-stream")) return data;
    const retryAfter = Number(headers["retry-after"]) * 1_000 || undefined;
    if (status >= 400) throw problemError(status, parsed(await textOf(data)), retryAfter);
    throw new GitspanError("unreachable", `${server.url.origin} does not answer like a gitspan server`, {
      hint: "Check --server or GITSPAN_SERVER.",
    });
  } catch (error) {
    if (axios.isAxiosError(error)) throw unreachable(server, error);
    throw error;
  }
}

/** Ends when the connection does, for whatever reason; `position` follows what was read. */
async function* eventsOf(io: Io, response: Readable, position: { last: string | undefined }): AsyncGenerator<string> {
  const watch = watchSilence(io, response);
  let rest = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      watch.heard();
      const blocks = (rest + String(chunk)).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const lines of blocks.map((block) => block.split("\n"))) {
        const data = lines.flatMap((line) => DATA_LINE.exec(line)?.[1] ?? []);
        if (data.length > 0) yield data.join("\n");
        // Moved on after the event was taken: who stops in between sees it again.
        position.last = lines.flatMap((line) => ID_LINE.exec(line)?.[1] ?? []).at(-1) ?? position.last;
      }
    }
  } catch (error) {
    io.signal.throwIfAborted();
    throw new GitspanError("unreachable", "the connection was lost", { cause: error, transient: true });
  } finally {
    watch.stop();
    response.destroy();
  }
}

function watchSilence(io: Io, response: Readable): { heard(): void; stop(): void } {
  const stopped = new AbortController();
  let heardAt = io.clock.now();
  void (async () => {
    for (let left = SILENCE_MS; left > 0; left = heardAt + SILENCE_MS - io.clock.now()) {
      await io.clock.sleep(left, stopped.signal);
    }
    response.destroy(new Error("silent for too long"));
  })().catch(() => undefined);
  return {
    heard: () => {
      heardAt = io.clock.now();
    },
    stop: () => stopped.abort(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
