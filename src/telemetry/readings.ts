import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../model/ambient.ts";
import { OUTCOMES, type Outcome, PHASES, type Phase } from "../model/delivery.ts";

interface DeliveryCount {
  phase: Phase;
  outcome?: Outcome;
  count: number;
  oldestMs?: number;
}

/** What is looked up whenever the page is read. */
export interface Readings {
  deliveries: () => Promise<readonly DeliveryCount[]>;
  /** Argo CDs for which automatic rollback has stopped itself. */
  brakes: () => Promise<readonly { cluster: string }[]>;
  /** One per stream of Applications: milliseconds since it was last heard of, infinity before the first time. */
  watches: () => readonly { name: string; ageMs: number }[];
  /** The same for each stream of runs. */
  runs: () => readonly { name: string; ageMs: number }[];
  /** A reading failed: its figures are missing from the page, all others are there. */
  failed: (error: unknown) => void;
}

/** A page without the store's figures is worth more than one that comes too late. */
const READING_MS = 3_000;

/** Makes the gauges and gives what brings them up to date; that never rejects. */
export function makeGauges(deps: { registry: Registry; clock: Clock }, readings: Readings): () => Promise<void> {
  const registers = [deps.registry];
  const deliveries = new Gauge({
    name: "gitspan_deliveries",
    help: "Deliveries in the store, by phase and (with phase done) outcome",
    labelNames: ["phase", "outcome"],
    registers,
  });
  const oldest = new Gauge({
    name: "gitspan_work_oldest_seconds",
    help: "Age of the oldest delivery in a phase, done ones aside; 0 for none",
    labelNames: ["phase"],
    registers,
  });
  const watches = new Gauge({
    name: "gitspan_argocd_watch_age_seconds",
    help: "Time since a stream of Applications was last heard of; +Inf before its first list",
    labelNames: ["stream"],
    registers,
  });

  const runs = new Gauge({
    name: "gitspan_tekton_watch_age_seconds",
    help: "Time since a stream of runs was last heard of; +Inf before its first list",
    labelNames: ["stream"],
    registers,
  });

  const brake = new Gauge({
    name: "gitspan_rollback_brake",
    help: "1 while automatic rollback has stopped itself for an Argo CD",
    labelNames: ["cluster"],
    registers,
  });

  const fill = (counts: readonly DeliveryCount[]): void => {
    for (const phase of PHASES.filter((one) => one !== "done")) {
      deliveries.set({ phase, outcome: "" }, 0);
      oldest.set({ phase }, 0);
    }
    for (const outcome of Object.keys(OUTCOMES)) deliveries.set({ phase: "done", outcome }, 0);
    for (const { phase, outcome = "", count, oldestMs } of counts) {
      deliveries.set({ phase, outcome }, count);
      if (oldestMs !== undefined) oldest.set({ phase }, oldestMs / 1_000);
    }
  };

  return async () => {
    watches.reset();
    for (const { name, ageMs } of readings.watches()) watches.set({ stream: name }, ageMs / 1_000);
    runs.reset();
    for (const { name, ageMs } of readings.runs()) runs.set({ stream: name }, ageMs / 1_000);
    try {
      fill(await within(deps.clock, readings.deliveries()));
      const pulled = await within(deps.clock, readings.brakes());
      brake.reset();
      for (const { cluster } of pulled) brake.set({ cluster }, 1);
    } catch (error) {
      deliveries.reset();
      oldest.reset();
      brake.reset();
      readings.failed(error);
    }
  };
}

async function within<T>(clock: Clock, reading: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = clock.sleep(READING_MS, over.signal).then((): never => {
    throw new Error("the store did not answer in time");
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}
