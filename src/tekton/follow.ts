import { SourceHealth } from "../kubernetes/source-health.ts";
import type { TektonApi } from "./api.ts";
import { BACKFILL_EVERY_MS, backfillRuns } from "./backfill.ts";
import { type OfferDeps, Offers } from "./offers.ts";
import { Position, type PositionStore } from "./position.ts";
import { openResults, type ResultsLocation } from "./results.ts";
import { watchRuns } from "./watch.ts";

/** How the runs of a cluster are followed, beside its events. */
export interface FollowLocation {
  name: string;
  namespaces: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** Runs that ended before are never taken, milliseconds; undefined: before the first time that they are followed. */
  since: number | undefined;
  results: ResultsLocation | undefined;
  runUrl: string | undefined;
  /** A watch that is silent for longer is opened again; 90 s if absent. */
  idleMs?: number;
}

export interface FollowDeps extends OfferDeps {
  positions: PositionStore;
}

export interface Following {
  /** One for each stream. */
  streams: SourceHealth[];
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

const IDLE_MS = 90_000;

/** Begins to follow; does not wait for the first list. Rejects with `config-invalid` when a CA file is unusable. */
export async function followRuns(deps: FollowDeps, api: TektonApi, location: FollowLocation): Promise<Following> {
  const { name: cluster, namespaces, labels, since, idleMs = IDLE_MS } = location;
  const results = location.results && (await openResults(location.results, cluster));
  const offers = new Offers(deps, { cluster, namespaces, labels, runUrl: location.runUrl });
  const scopes = namespaces.length === 0 ? [undefined] : [...namespaces];
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const streams: SourceHealth[] = [];
  const working: Promise<void>[] = [];
  const part = (kind: string, namespace: string | undefined, staleMs: number) => {
    const stream = `${kind}/${cluster}${namespace === undefined ? "" : `/${namespace}`}`;
    const health = new SourceHealth(deps.ambient.clock, stream, staleMs);
    streams.push(health);
    const position = new Position(deps.positions, { stream, since });
    return { cluster, namespace, labels, offers, health, position };
  };
  for (const namespace of scopes) {
    working.push(watchRuns({ ...deps, api }, { ...part("tekton", namespace, 2 * idleMs), idleMs }, signal));
    if (results === undefined) continue;
    working.push(backfillRuns(deps, { ...part("tekton-results", namespace, 2 * BACKFILL_EVERY_MS), results }, signal));
  }
  return {
    streams,
    async close() {
      lifetime.abort();
      await Promise.all(working);
      await offers.settled();
    },
  };
}
