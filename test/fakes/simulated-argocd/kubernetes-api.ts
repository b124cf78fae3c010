import type { ServerResponse } from "node:http";
import type { Clock } from "../../../src/model/ambient.ts";
import { bodyOf, type Call, sendJson, statusOf } from "./http.ts";
import type { World, WorldEvent } from "./world.ts";

const GROUP = "argoproj.io/v1alpha1";

export interface KubernetesApiOptions {
  bookmarkMs: number;
  /** Objects per list page, whatever the caller's limit. */
  maxPage: number;
}

/** The part of the Kubernetes API that a client of Applications needs: list, watch, get and patch of annotations. */
export class KubernetesApi {
  readonly #world: World;
  readonly #clock: Clock;
  readonly #options: KubernetesApiOptions;
  readonly #watches = new Set<ServerResponse>();
  #refuseNextPage = false;
  readonly #muted = new Set<ServerResponse>();
  lists = 0;
  /** Watch requests that were let in. */
  watched = 0;
  bookmarks = 0;

  constructor(world: World, clock: Clock, options: KubernetesApiOptions) {
    this.#world = world;
    this.#clock = clock;
    this.#options = options;
  }

  async handle(call: Call): Promise<void> {
    const [, group, version, ...rest] = call.path;
    if (`${group}/${version}` !== GROUP) return sendJson(call.response, 404, statusOf(404, "NotFound", "no such API"));
    const namespaced = rest[0] === "namespaces";
    const namespace = namespaced ? rest[1] : undefined;
    const [kind, name] = namespaced ? rest.slice(2) : rest;
    if (kind !== "applications") return sendJson(call.response, 404, statusOf(404, "NotFound", "no such resource"));
    if (name === undefined) {
      if (call.url.searchParams.get("watch") === "true") return this.#watch(call, namespace);
      return this.#list(call, namespace);
    }
    await this.#one(call, namespace ?? "", name);
  }

  /** Cuts every watch, as a restart of the API server does. */
  dropWatches(): void {
    for (const response of this.#watches) response.destroy();
  }

  /** Half-open: the connections that are open now stay, and nothing comes on them any more. */
  muteWatches(): void {
    for (const response of this.#watches) this.#muted.add(response);
  }

  /** Sends bytes that are no event to every watch. */
  sendGarbage(bytes: string): void {
    for (const response of this.#watches) response.write(bytes);
  }

  /** The next page after a first one is refused, as it is when paging takes too long. */
  expireNextPage(): void {
    this.#refuseNextPage = true;
  }

  #list({ url, response }: Call, namespace: string | undefined): void {
    this.lists += 1;
    const start = Number(url.searchParams.get("continue") ?? 0);
    if (start > 0 && this.#refuseNextPage) {
      this.#refuseNextPage = false;
      return sendJson(response, 410, statusOf(410, "Expired", "The provided continue parameter is too old"));
    }
    const all = this.#world.list(namespace);
    const limit = Math.min(Number(url.searchParams.get("limit") ?? 0) || all.length, this.#options.maxPage) || 1;
    const more = start + limit < all.length ? { continue: String(start + limit) } : {};
    sendJson(response, 200, {
      apiVersion: GROUP,
      kind: "ApplicationList",
      metadata: { resourceVersion: String(this.#world.version), ...more },
      items: all.slice(start, start + limit),
    });
  }

  #watch({ url, response }: Call, namespace: string | undefined): void {
    const from = Number(url.searchParams.get("resourceVersion") ?? 0);
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const missed = this.#world.eventsAfter(from);
    if (missed === undefined) {
      response.end(
        `${JSON.stringify({ type: "ERROR", object: statusOf(410, "Expired", "too old resource version") })}\n`,
      );
      return;
    }
    this.watched += 1;
    const send = (event: WorldEvent): void => {
      if (this.#muted.has(response) || (namespace !== undefined && event.object.metadata.namespace !== namespace))
        return;
      response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
    };
    missed.forEach(send);
    const stop = this.#world.onEvent(send);
    this.#watches.add(response);
    const closed = new AbortController();
    response.on("close", () => {
      stop();
      this.#watches.delete(response);
      this.#muted.delete(response);
      closed.abort();
    });
    void this.#bookmarks(response, closed.signal);
  }

  async #bookmarks(response: ServerResponse, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(this.#options.bookmarkMs, signal).catch(() => undefined);
      if (signal.aborted || this.#muted.has(response)) continue;
      const metadata = { resourceVersion: String(this.#world.version) };
      const object = { apiVersion: GROUP, kind: "Application", metadata };
      response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
      this.bookmarks += 1;
    }
  }

  async #one({ request, response }: Call, namespace: string, name: string): Promise<void> {
    if (request.method === "PATCH") {
      const patch = JSON.parse(await bodyOf(request)) as { metadata?: { annotations?: Record<string, string> } };
      const refresh = patch.metadata?.annotations?.["argocd.argoproj.io/refresh"];
      if (refresh !== undefined) this.#world.refresh(namespace, name, refresh);
    }
    const object = this.#world.get(namespace, name);
    const message = `applications.argoproj.io "${name}" not found`;
    if (object === undefined) return sendJson(response, 404, statusOf(404, "NotFound", message));
    sendJson(response, 200, object);
  }
}
