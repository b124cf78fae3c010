import { Backoff } from "../kubernetes/backoff.ts";
import type { SourceHealth } from "../kubernetes/source-health.ts";
import { withTimeLimit } from "../kubernetes/time-limit.ts";
import { KUBERNETES } from "../kubernetes/trouble.ts";
import { messageOf } from "../model/errors.ts";
import type { OfferDeps, Offers } from "./offers.ts";
import type { Position } from "./position.ts";
import type { TektonResults } from "./results.ts";
import { readRun } from "./run.ts";

export interface Backfill {
  cluster: string;
  /** Undefined: all namespaces. */
  namespace: string | undefined;
  labels: Readonly<Record<string, string>>;
  results: TektonResults;
  health: SourceHealth;
  offers: Offers;
  position: Position;
}

/** The watch has missed only what ended and was pruned while nobody watched: there is no hurry after the first time. */
export const BACKFILL_EVERY_MS = 5 * 60_000;
const PAGE_MS = 60_000;

/** Offers the runs that Results knows, at once and then every five minutes, until aborted. Never rejects. */
export async function backfillRuns(deps: OfferDeps, backfill: Backfill, signal: AbortSignal): Promise<void> {
  const { clock, random } = deps.ambient;
  const { health, cluster, namespace } = backfill;
  const backoff = new Backoff(random, BACKFILL_EVERY_MS);
  while (!signal.aborted) {
    try {
      await once(deps, backfill, signal);
      health.listed();
      backoff.reset();
      await clock.sleep(BACKFILL_EVERY_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      health.failed(messageOf(error));
      const fields = { cluster, namespace: namespace ?? "all", error: messageOf(error) };
      deps.log.warn("runs could not be read from Tekton Results", fields);
      await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

async function once(deps: OfferDeps, backfill: Backfill, signal: AbortSignal): Promise<void> {
  const { clock } = deps.ambient;
  const { namespace, labels, results, offers, position } = backfill;
  const begun = clock.now();
  const from = await position.from();
  const closing = new AbortController();
  const both = AbortSignal.any([signal, closing.signal]);
  try {
    const runs = results.finished({ namespace, from, labels }, both);
    for (;;) {
      const message = "Tekton Results did not answer in time";
      const limit = { ms: PAGE_MS, message, signal: both, trouble: KUBERNETES };
      const next = await withTimeLimit(clock, limit, async () => runs.next());
      if (next.done === true) break;
      const run = readRun("PipelineRun", next.value);
      if (run.finishedAt !== undefined && run.finishedAt >= from) await offers.offer(run, "tekton-results", signal);
    }
  } finally {
    closing.abort();
  }
  await whileUnderWay(clock, offers, signal);
  if (offers.isClear) await position.reached(begun);
}

/** What cannot be stored now may take long, and then Results is asked again before. */
async function whileUnderWay(clock: OfferDeps["ambient"]["clock"], offers: Offers, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const late = clock.sleep(BACKFILL_EVERY_MS, AbortSignal.any([signal, enough.signal])).catch(() => undefined);
  await Promise.race([offers.settled(), late]);
  enough.abort();
  signal.throwIfAborted();
}
