import type { ServerResponse } from "node:http";
import { systemAmbient } from "../../src/ambient.ts";
import type { StoredRun } from "./kubernetes-api.ts";

interface Change {
  version: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: StoredRun;
}

/** PipelineRuns as a collection: lists in pages, watches from a version on, forgets old versions when it is told to. */
export class RunCollection {
  /** Objects per page, whatever the caller asks for. */
  maxPage = Number.POSITIVE_INFINITY;
  bookmarkMs = 50;
  lists = 0;
  /** Watches that were let in. */
  watched = 0;
  #version = 1;
  #oldest = 0;
  readonly #objects = new Map<string, StoredRun>();
  readonly #changes: Change[] = [];
  readonly #watches = new Map<ServerResponse, { muted: boolean; send(change: Change): void }>();
  #refuseNextPage = false;

  put(run: StoredRun): void {
    const key = `${run.metadata.namespace}/${run.metadata.name}`;
    const type = this.#objects.has(key) ? "MODIFIED" : "ADDED";
    const object = this.#versioned(run);
    this.#objects.set(key, object);
    this.#change({ version: this.#version, type, object });
  }

  remove(run: StoredRun): void {
    const key = `${run.metadata.namespace}/${run.metadata.name}`;
    const last = this.#objects.get(key);
    if (last === undefined) return;
    this.#objects.delete(key);
    this.#change({ version: this.#version + 1, type: "DELETED", object: this.#versioned(last) });
  }

  /** Watches from versions before now are answered with 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#changes.length = 0;
  }

  dropWatches(): void {
    for (const response of this.#watches.keys()) response.destroy();
  }

  /** Half-open: the connections stay, and nothing comes on them any more. */
  muteWatches(): void {
    for (const watch of this.#watches.values()) watch.muted = true;
  }

  sendGarbage(bytes: string): void {
    for (const response of this.#watches.keys()) response.write(bytes);
  }

  expireNextPage(): void {
    this.#refuseNextPage = true;
  }

  answer(url: URL, namespace: string | undefined, response: ServerResponse): void {
    const matches = selectorOf(url.searchParams.get("labelSelector"));
    const wanted = (run: StoredRun): boolean =>
      (namespace === undefined || run.metadata.namespace === namespace) && matches(run);
    if (url.searchParams.get("watch") === "true") this.#watch(url, wanted, response);
    else this.#list(url, wanted, response);
  }

  #list(url: URL, wanted: (run: StoredRun) => boolean, response: ServerResponse): void {
    this.lists++;
    const start = Number(url.searchParams.get("continue") ?? 0);
    if (start > 0 && this.#refuseNextPage) {
      this.#refuseNextPage = false;
      return json(response, 410, { kind: "Status", code: 410, reason: "Expired", message: "continue is too old" });
    }
    const all = [...this.#objects.values()].filter(wanted);
    const end = start + Math.min(this.maxPage, Number(url.searchParams.get("limit") ?? all.length));
    const more = end < all.length ? { continue: String(end) } : {};
    const metadata = { resourceVersion: String(this.#version), ...more };
    json(response, 200, {
      kind: "PipelineRunList",
      apiVersion: "tekton.dev/v1",
      metadata,
      items: all.slice(start, end),
    });
  }

  #watch(url: URL, wanted: (run: StoredRun) => boolean, response: ServerResponse): void {
    const from = Number(url.searchParams.get("resourceVersion"));
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    if (from < this.#oldest) {
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      return void response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
    }
    const watch = {
      muted: false,
      send({ type, object }: Change): void {
        if (!watch.muted && wanted(object)) response.write(`${JSON.stringify({ type, object })}\n`);
      },
    };
    for (const change of this.#changes) if (change.version > from) watch.send(change);
    this.#watches.set(response, watch);
    this.watched++;
    const closed = new AbortController();
    response.on("close", () => {
      this.#watches.delete(response);
      closed.abort();
    });
    void this.#bookmarks(response, watch, closed.signal);
  }

  async #bookmarks(response: ServerResponse, watch: { muted: boolean }, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await systemAmbient.clock.sleep(this.bookmarkMs, signal).catch(() => undefined);
      if (signal.aborted || watch.muted) continue;
      const object = { kind: "PipelineRun", metadata: { resourceVersion: String(this.#version) } };
      response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    }
  }

  #versioned(run: StoredRun): StoredRun {
    this.#version++;
    return { ...run, metadata: { ...run.metadata, resourceVersion: String(this.#version) } };
  }

  #change(change: Change): void {
    this.#changes.push(change);
    for (const watch of this.#watches.values()) watch.send(change);
  }
}

/** Equality alone: `a=b,c=d`. */
function selectorOf(text: string | null): (run: StoredRun) => boolean {
  const wanted = (text ?? "").split(",").filter((part) => part !== "");
  return (run) =>
    wanted.every((part) => {
      const [key = "", value] = part.split("=");
      return (run.metadata["labels"] as Record<string, string> | undefined)?.[key] === value;
    });
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
