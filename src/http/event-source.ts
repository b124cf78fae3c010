import type { FastifyRequest } from "fastify";
import type { EventReading } from "../delivery/events.ts";
import type { Metrics } from "../delivery/ports.ts";
import { GitspanError } from "../model/errors.ts";

/** One cluster whose Tekton sends events. */
export interface EventSource {
  /** Events are believed as they are, so their sender must be known; else each is only a hint, and checked. */
  trusted: boolean;
  /** What the sink's path ends with. */
  pathSecret: (() => Promise<string>) | undefined;
  /** What the sink's address has before the host. */
  basic: { username: string; password: () => Promise<string> } | undefined;
  /** What the event leads to. Errors: `bad-request`, `kubernetes-unavailable`, `kubernetes-forbidden`. */
  read(event: { headers: FastifyRequest["headers"]; body: unknown }, signal: AbortSignal): Promise<EventReading>;
}

export interface EventDeps {
  /** By the cluster's name in the configuration in force now. */
  tekton: () => ReadonlyMap<string, EventSource>;
  metrics: Pick<Metrics, "event">;
}

/**
 * The source that a request is of: the one its path names, or the only one there is. Errors: `forbidden` when no
 * cluster is configured, `not-found` for an unknown one, `bad-request` when the path leaves it open.
 */
export function eventSourceOf(events: EventDeps | undefined, request: FastifyRequest): EventSource {
  const sources = events?.tekton() ?? new Map<string, EventSource>();
  if (sources.size === 0) {
    throw new GitspanError("forbidden", "events of Tekton are not taken: no cluster is configured for them", {
      hint: "Configure tekton.<name>.kubernetes, so that runs can be read again, or tekton.<name>.events.trusted.",
    });
  }
  const cluster = paramOf(request, "cluster");
  const [only] = sources.values();
  const source = cluster === undefined && sources.size === 1 ? only : sources.get(cluster ?? "");
  if (source !== undefined) return source;
  if (cluster !== undefined) throw new GitspanError("not-found", "there is no such cluster");
  throw new GitspanError("bad-request", "there is more than one cluster", {
    hint: "Send the events of each to its own path: /v1/events/tekton/{name}.",
  });
}

export function paramOf({ params }: FastifyRequest, name: "cluster" | "secret"): string | undefined {
  const value: unknown = typeof params === "object" && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === "string" ? value : undefined;
}
