import type { Readable } from "node:stream";
import type { Clock, Random } from "../model/ambient.ts";
import { GitspanError, isGitspanError, messageOf } from "../model/errors.ts";
import { Backoff } from "./backoff.ts";
import { linesOf } from "./lines.ts";
import { readList } from "./list-items.ts";
import type { SourceHealth } from "./source-health.ts";
import { withTimeLimit } from "./time-limit.ts";
import { ExpiredError, type Trouble } from "./trouble.ts";
import { record, text, type Untrusted } from "./untrusted.ts";

const PAGE = 100;
const ANSWER_MS = 30_000;
/** The API server ends a watch by itself then; some proxies do it sooner. */
const WATCH_SECONDS = 290;

export interface WatchDeps {
  ambient: { clock: Clock; random: Random };
  /** Messages are constants, everything that varies is a field. */
  log: {
    info(message: string, fields?: Record<string, unknown>): void;
    warn(message: string, fields?: Record<string, unknown>): void;
  };
}

/** One collection of the Kubernetes API; `T` is what is kept of each object. */
export interface WatchInput<T> {
  /** In the plural, for messages: "Applications". */
  what: string;
  /** What says which collection it is, for the log. */
  fields: Record<string, unknown>;
  trouble: Trouble;
  /** Opens the collection with this query: a page of the list, or a watch. */
  open(query: Record<string, string | undefined>, signal: AbortSignal): Promise<Readable>;
  /** Bookmarks come about once a minute: a silence longer than this means a half-open connection. */
  idleMs: number;
  health: SourceHealth;
  read(object: unknown): T;
  /** A complete list. While it is handled nothing more is read; the same goes for `put` and `remove`. */
  replace(items: T[]): Promise<void> | void;
  put(item: T): Promise<void> | void;
  remove(item: T): Promise<void> | void;
  /** After each event and bookmark: everything before it was handed over. */
  reached?(): Promise<void> | void;
}

/**
 * Keeps up with a collection until aborted: list in pages, then watch from there; again from the last version when the
 * connection ends, and from a new list when that version is no longer known or something came that is no event.
 * Never rejects; trouble shows in `health` and the log.
 */
export async function watchCollection<T>(deps: WatchDeps, input: WatchInput<T>, signal: AbortSignal): Promise<void> {
  const { clock, random } = deps.ambient;
  const { what, fields } = input;
  const backoff = new Backoff(random);
  let version: string | undefined;
  while (!signal.aborted) {
    const startedAt = clock.now();
    try {
      version ??= await listAll(deps, input, signal);
      for await (const next of watchFrom(deps, input, version, signal)) {
        version = next;
        backoff.reset();
      }
      // Ended in order; a server that ends every watch at once must not be asked in a tight loop.
      if (clock.now() - startedAt < 1_000) await clock.sleep(backoff.nextMs(), signal);
    } catch (error) {
      if (signal.aborted) return;
      // The connection broke, nothing is wrong with the version we were at.
      if (!isGitspanError(error, input.trouble.unreachable)) version = undefined;
      input.health.failed(messageOf(error));
      if (error instanceof ExpiredError) deps.log.info("a watch is too far behind: listing again", { what, ...fields });
      else deps.log.warn("a watch broke", { what, ...fields, error: messageOf(error) });
      await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

/** Lists in pages, projecting each object as it comes, and gives the version to watch from. */
async function listAll<T>(deps: WatchDeps, input: WatchInput<T>, signal: AbortSignal): Promise<string> {
  const { trouble, open } = input;
  const items: T[] = [];
  const onItem = (item: unknown): void => void items.push(input.read(item));
  const version = await eachObject(deps.ambient.clock, { trouble, open, onItem }, signal);
  if (version === "") throw new GitspanError(trouble.protocol, `the list of ${input.what} has no resourceVersion`);
  await input.replace(items);
  input.health.listed();
  return version;
}

/** Every object of a collection, page by page; gives the list's version. */
export async function eachObject(
  clock: Clock,
  input: Pick<WatchInput<unknown>, "trouble" | "open"> & { onItem: (item: unknown) => void },
  signal: AbortSignal,
): Promise<string> {
  const { trouble, onItem } = input;
  let next: string | undefined;
  let version = "";
  do {
    const closing = new AbortController();
    const both = AbortSignal.any([signal, closing.signal]);
    try {
      const message = "the Kubernetes API did not answer a list in time";
      const limit = { ms: ANSWER_MS, message, signal: both, trouble };
      const query = { limit: String(PAGE), continue: next };
      const chunks = await withTimeLimit(clock, limit, async () => input.open(query, both));
      const list = { chunks, idleMs: ANSWER_MS, signal, onItem, trouble };
      const page = record(await readList(clock, list));
      const metadata = record(page["metadata"]);
      version = text(metadata["resourceVersion"]);
      next = text(metadata["continue"], 10_000) || undefined;
    } catch (error) {
      signal.throwIfAborted();
      throw isGitspanError(error) ? error : broken(trouble, error);
    } finally {
      closing.abort();
    }
  } while (next !== undefined);
  return version;
}

/** Yields the version reached after each event or bookmark. */
async function* watchFrom<T>(
  deps: WatchDeps,
  input: WatchInput<T>,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { clock, random } = deps.ambient;
  const { trouble } = input;
  const closing = new AbortController();
  const both = AbortSignal.any([signal, closing.signal]);
  const query = {
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + random.next()))),
  };
  try {
    const message = "the Kubernetes API did not answer a watch in time";
    const limit = { ms: ANSWER_MS, message, signal: both, trouble };
    const chunks = await withTimeLimit(clock, limit, async () => input.open(query, both));
    input.health.heard();
    for await (const line of linesOf(clock, { chunks, idleMs: input.idleMs, signal, trouble })) {
      if (line === "") continue;
      const reached = await take(input, line);
      input.health.heard();
      await input.reached?.();
      if (reached !== "") yield reached;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw isGitspanError(error) ? error : broken(trouble, error);
  } finally {
    closing.abort();
  }
}

/** Takes one event over and gives its version. */
async function take<T>(input: WatchInput<T>, line: string): Promise<string> {
  const { trouble } = input;
  const event = parse(line, trouble);
  const object = record(event["object"]);
  const version = text(record(object["metadata"])["resourceVersion"]);
  switch (event["type"]) {
    case "ADDED":
    case "MODIFIED":
      await input.put(input.read(object));
      return version;
    case "DELETED":
      await input.remove(input.read(object));
      return version;
    case "BOOKMARK":
      return version;
    case "ERROR": {
      const message = `the watch ended with ${text(object["reason"]) || "an error"}: ${text(object["message"])}`;
      if (object["code"] === 410) throw new ExpiredError(trouble, message);
      throw new GitspanError(trouble.protocol, message, { transient: true });
    }
    default:
      throw new GitspanError(trouble.protocol, "the watch sent an event of an unknown type", { transient: true });
  }
}

function parse(line: string, trouble: Trouble): Untrusted {
  try {
    return record(JSON.parse(line));
  } catch (cause) {
    throw new GitspanError(trouble.protocol, "the watch sent something that is no event", { cause, transient: true });
  }
}

function broken(trouble: Trouble, error: unknown): GitspanError {
  return new GitspanError(trouble.unreachable, `the watch broke: ${messageOf(error)}`, { transient: true });
}
