import { record, text } from "../kubernetes/untrusted.ts";
import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import { GitspanError, isGitspanError, messageOf } from "../model/errors.ts";
import { Backoff } from "./backoff.ts";
import type { ArgoCdDeps } from "./deps.ts";
import { ExpiredError } from "./http.ts";
import type { KubernetesAccess } from "./kubernetes-access.ts";
import { linesOf } from "./lines.ts";
import { readList } from "./list-items.ts";
import { toSnapshot } from "./snapshot.ts";
import type { SourceHealth } from "./source-health.ts";
import { withTimeLimit } from "./time-limit.ts";

const GROUP_PATH = "/apis/argoproj.io/v1alpha1";
const PAGE = 500;
const ANSWER_MS = 30_000;
/** The API server ends a watch by itself then; some proxies do it sooner. */
const WATCH_SECONDS = 290;

export interface WatchInput {
  cluster: string;
  access: KubernetesAccess;
  /** Undefined: all namespaces. */
  namespace: string | undefined;
  /** Bookmarks come about once a minute: a silence longer than this means a half-open connection. */
  idleMs: number;
  health: SourceHealth;
  /** A complete list. */
  replace(snapshots: ApplicationSnapshot[]): void;
  put(snapshot: ApplicationSnapshot): void;
  remove(ref: ApplicationRef): void;
}

/**
 * Keeps up with the Applications of one namespace, or of all, until aborted: list in pages, then watch from there;
 * again from the last version when the connection ends, and from a new list when that version is no longer known or
 * something came that is no event. Never rejects; trouble shows in `health` and the log.
 */
export async function watchApplications(deps: ArgoCdDeps, input: WatchInput, signal: AbortSignal): Promise<void> {
  const { clock, random } = deps.ambient;
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
      if (!isUnreachable(error)) version = undefined;
      input.health.failed(messageOf(error));
      if (error instanceof ExpiredError) deps.log.info("the watch is too far behind: listing again", fieldsOf(input));
      else deps.log.warn("the watch of Applications broke", { ...fieldsOf(input), error: messageOf(error) });
      await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

/** Lists in pages, projecting each Application as it comes, and gives the version to watch from. */
async function listAll(deps: ArgoCdDeps, input: WatchInput, signal: AbortSignal): Promise<string> {
  const snapshots: ApplicationSnapshot[] = [];
  let next: string | undefined;
  let version = "";
  do {
    const closing = new AbortController();
    const both = AbortSignal.any([signal, closing.signal]);
    try {
      const query = { limit: String(PAGE), continue: next };
      const limit = { ms: ANSWER_MS, message: "the Kubernetes API did not answer a list in time", signal: both };
      const chunks = await withTimeLimit(deps.ambient.clock, limit, async () =>
        input.access.stream({ path: pathOf(input), query, signal: both }),
      );
      const onItem = (item: unknown): void => void snapshots.push(toSnapshot(input.cluster, item));
      const page = record(await readList(deps.ambient.clock, { chunks, idleMs: ANSWER_MS, signal, onItem }));
      const metadata = record(page["metadata"]);
      version = text(metadata["resourceVersion"]);
      next = text(metadata["continue"], 10_000) || undefined;
    } catch (error) {
      signal.throwIfAborted();
      throw isGitspanError(error) ? error : broken(error);
    } finally {
      closing.abort();
    }
  } while (next !== undefined);
  if (version === "") throw new GitspanError("argocd-protocol", "the list of Applications has no resourceVersion");
  input.replace(snapshots);
  input.health.listed();
  return version;
}

/** Yields the version reached after each event or bookmark. */
async function* watchFrom(
  deps: ArgoCdDeps,
  input: WatchInput,
  version: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { clock, random } = deps.ambient;
  const closing = new AbortController();
  const both = AbortSignal.any([signal, closing.signal]);
  try {
    const chunks = await withTimeLimit(
      clock,
      { ms: ANSWER_MS, message: "the Kubernetes API did not answer a watch in time", signal: both },
      async () =>
        input.access.stream({
          path: pathOf(input),
          query: {
            watch: "true",
            allowWatchBookmarks: "true",
            resourceVersion: version,
            timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + random.next()))),
          },
          signal: both,
        }),
    );
    input.health.heard();
    for await (const line of linesOf(clock, { chunks, idleMs: input.idleMs, signal })) {
      if (line === "") continue;
      const reached = take(input, line);
      input.health.heard();
      if (reached !== "") yield reached;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw isGitspanError(error) ? error : broken(error);
  } finally {
    closing.abort();
  }
}

/** Takes one event over and gives its version. */
function take(input: WatchInput, line: string): string {
  let event: Record<string, unknown>;
  try {
    event = record(JSON.parse(line));
  } catch (cause) {
    throw new GitspanError("argocd-protocol", "the watch sent something that is no event", { cause, transient: true });
  }
  const object = record(event["object"]);
  const version = text(record(object["metadata"])["resourceVersion"]);
  switch (event["type"]) {
    case "ADDED":
    case "MODIFIED":
      input.put(toSnapshot(input.cluster, object));
      return version;
    case "DELETED":
      input.remove(toSnapshot(input.cluster, object).ref);
      return version;
    case "BOOKMARK":
      return version;
    case "ERROR": {
      const message = `the watch ended with ${text(object["reason"]) || "an error"}: ${text(object["message"])}`;
      if (object["code"] === 410) throw new ExpiredError(message);
      throw new GitspanError("argocd-protocol", message, { transient: true });
    }
    default:
      throw new GitspanError("argocd-protocol", "the watch sent an event of an unknown type", { transient: true });
  }
}

function pathOf({ namespace }: WatchInput): string {
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${GROUP_PATH}${scope}/applications`;
}

/** The connection broke, nothing is wrong with the version we were at. */
function isUnreachable(error: unknown): boolean {
  return isGitspanError(error, "argocd-unreachable");
}

function broken(error: unknown): GitspanError {
  return new GitspanError("argocd-unreachable", `the watch broke: ${messageOf(error)}`, { transient: true });
}

function fieldsOf({ cluster, namespace }: WatchInput): Record<string, unknown> {
  return { cluster, namespace: namespace ?? "all" };
}

/** Sets the refresh annotation; needs the right to patch Applications, which permits far more. */
export async function annotateRefresh(
  access: KubernetesAccess,
  ref: ApplicationRef,
  signal: AbortSignal,
): Promise<void> {
  await access.json({
    method: "PATCH",
    path: `${GROUP_PATH}/namespaces/${encodeURIComponent(ref.namespace)}/applications/${encodeURIComponent(ref.name)}`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { metadata: { annotations: { "argocd.argoproj.io/refresh": "normal" } } },
    signal,
  });
}
