import { Backoff } from "../kubernetes/backoff.ts";
import { linesOf } from "../kubernetes/lines.ts";
import type { SourceHealth } from "../kubernetes/source-health.ts";
import { withTimeLimit } from "../kubernetes/time-limit.ts";
import { isRecord, record, text } from "../kubernetes/untrusted.ts";
import type { ApplicationRef, ApplicationSnapshot } from "../model/application.ts";
import { GitspanError, isGitspanError, messageOf } from "../model/errors.ts";
import type { ArgoCdDeps } from "./deps.ts";
import type { ArgoCdRest } from "./rest.ts";
import { toSnapshot } from "./snapshot.ts";
import { ARGOCD } from "./trouble.ts";

/** Thousands of Applications come in one answer. */
const LIST_MS = 120_000;
/** Heartbeats come every 15 s. */
const IDLE_MS = 45_000;
/** The stream drops events when it falls behind: a list now and then finds what it lost. */
const RELIST_MS = 120_000;

export interface RestSourceInput {
  cluster: string;
  rest: ArgoCdRest;
  /** Empty: all. */
  namespaces: readonly string[];
  health: SourceHealth;
  replace(snapshots: ApplicationSnapshot[]): void;
  put(snapshot: ApplicationSnapshot): void;
  remove(ref: ApplicationRef): void;
}

/** Where there is no access to Kubernetes: list, then stream for two minutes, and again. Never rejects. */
export async function followByRest(deps: ArgoCdDeps, input: RestSourceInput, signal: AbortSignal): Promise<void> {
  const { clock, random } = deps.ambient;
  const backoff = new Backoff(random);
  while (!signal.aborted) {
    try {
      const limit = { ms: LIST_MS, message: "Argo CD did not answer a list in time", signal, trouble: ARGOCD };
      const all = await withTimeLimit(clock, limit, async (limited) => input.rest.list(clock, input.cluster, limited));
      input.replace(all.filter(({ ref }) => isWanted(input, ref)));
      input.health.listed();
      await stream(deps, input, signal);
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      input.health.failed(messageOf(error));
      deps.log.warn("the stream of Applications broke", { cluster: input.cluster, error: messageOf(error) });
      await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

/** Returns when it is time to list again. */
async function stream(deps: ArgoCdDeps, input: RestSourceInput, signal: AbortSignal): Promise<void> {
  const { clock } = deps.ambient;
  const until = clock.now() + RELIST_MS;
  const closing = new AbortController();
  const both = AbortSignal.any([signal, closing.signal]);
  try {
    // No headers before the first Application: silence here is no failure, only a reason to list again.
    const limit = { ms: RELIST_MS, message: "no Application on the stream yet", signal, trouble: ARGOCD };
    const chunks = await withTimeLimit(clock, limit, async () => input.rest.stream(both));
    for await (const line of linesOf(clock, { chunks, idleMs: IDLE_MS, signal, trouble: ARGOCD })) {
      input.health.heard();
      take(input, line);
      if (clock.now() >= until) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (clock.now() >= until) return;
    if (isGitspanError(error)) throw error;
    throw new GitspanError("argocd-unreachable", `the stream broke: ${messageOf(error)}`, { transient: true });
  } finally {
    closing.abort();
  }
}

/** `data: {"result": {"type", "application"}}`; empty lines separate, lines with a colon first are heartbeats. */
function take(input: RestSourceInput, line: string): void {
  const trimmed = line.trim();
  if (trimmed === "" || trimmed.startsWith(":")) return;
  let frame: Record<string, unknown>;
  try {
    frame = record(JSON.parse(trimmed.replace(/^data:\s*/, "")));
  } catch (cause) {
    throw new GitspanError("argocd-protocol", "the stream sent something that is no event", { cause, transient: true });
  }
  if (isRecord(frame["error"])) {
    const message = text(frame["error"]["message"]);
    throw new GitspanError("argocd-protocol", `the stream ended with an error: ${message}`, { transient: true });
  }
  const result = record(frame["result"]);
  const snapshot = toSnapshot(input.cluster, result["application"]);
  if (snapshot.ref.name === "" || !isWanted(input, snapshot.ref)) return;
  if (result["type"] === "DELETED") input.remove(snapshot.ref);
  else input.put(snapshot);
}

function isWanted({ namespaces }: RestSourceInput, ref: ApplicationRef): boolean {
  return namespaces.length === 0 || namespaces.includes(ref.namespace);
}
