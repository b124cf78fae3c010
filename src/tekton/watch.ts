import type { SourceHealth } from "../kubernetes/source-health.ts";
import { KUBERNETES } from "../kubernetes/trouble.ts";
import { record } from "../kubernetes/untrusted.ts";
import { watchCollection } from "../kubernetes/watch.ts";
import type { TektonApi } from "./api.ts";
import type { OfferDeps, Offers } from "./offers.ts";
import type { Position } from "./position.ts";
import { readRun, type TektonRun } from "./run.ts";

export interface RunWatch {
  cluster: string;
  /** Undefined: all namespaces. */
  namespace: string | undefined;
  labels: Readonly<Record<string, string>>;
  idleMs: number;
  health: SourceHealth;
  offers: Offers;
  position: Position;
}

/** Nothing came for so long: then nothing that had happened before was still on its way. */
const QUIET_MS = 1_000;

/** Offers every PipelineRun that succeeds, from where the position stands, until aborted. Never rejects. */
export async function watchRuns(
  deps: OfferDeps & { api: TektonApi },
  watch: RunWatch,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps.ambient;
  const { cluster, namespace, position, offers } = watch;
  const labelSelector = Object.entries(watch.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  let listedAt = 0;
  let quietSince = clock.now();
  let handledUntil = 0;
  const move = async (): Promise<void> => {
    if (offers.isClear) await position.reached(handledUntil);
  };
  // While a run is handled nothing is read, so events may wait in the connection: only after a silence is none of them old.
  const heard = (): void => {
    if (clock.now() - quietSince >= QUIET_MS) handledUntil = quietSince;
  };
  // What changes now is looked at whatever time it tells; in a list most runs were handled long ago.
  const offer = async (run: TektonRun): Promise<void> => {
    heard();
    if (isYounger(run, await position.first())) await offers.offer(run, "tekton-watch", signal);
  };
  await watchCollection<TektonRun | undefined>(
    deps,
    {
      what: "PipelineRuns",
      fields: { cluster, namespace: namespace ?? "all" },
      trouble: KUBERNETES,
      idleMs: watch.idleMs,
      health: watch.health,
      open(query, opening) {
        if (query["watch"] === undefined && query["continue"] === undefined) listedAt = clock.now();
        const selected = labelSelector === "" ? query : { ...query, labelSelector };
        return deps.api.pipelineRuns(namespace, selected, opening);
      },
      // Of thousands of runs only those are kept that may be new.
      read(object) {
        const run = readRun("PipelineRun", record(object));
        return offers.isNews(run) ? run : undefined;
      },
      async replace(all) {
        const from = await position.from();
        const runs = all.filter((run) => run !== undefined).filter((run) => isYounger(run, from));
        for (const run of runs.toSorted((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0))) {
          await offers.offer(run, "tekton-watch", signal);
        }
        handledUntil = listedAt;
        await move();
        quietSince = clock.now();
      },
      put: (run) => (run === undefined ? heard() : offer(run)),
      // Pruned before its end was seen: the last state of it came along.
      remove: (run) => (run === undefined ? heard() : offer(run)),
      async reached() {
        heard();
        await move();
        quietSince = clock.now();
      },
    },
    signal,
  );
}

function isYounger(run: TektonRun, from: number): boolean {
  return run.finishedAt !== undefined && run.finishedAt >= from;
}
