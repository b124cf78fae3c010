import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Outcome } from "../model/delivery.ts";
import type { PushResult } from "../model/git.ts";

type Stage = "accept" | "verify" | "write" | "observe";

/** What the parts count, and the page that Prometheus reads. Labels have few values: never an image, commit or name. */
export interface BridgeMetrics {
  buildAccepted(result: "accepted" | "repeat"): void;
  deliveryDone(outcome: Outcome): void;
  /** Seconds that one run of a stage took. */
  stage(stage: Stage, seconds: number): void;
  push(result: PushResult["kind"]): void;
  /** One event of a CI system; `refused` was the sender's fault, `unavailable` ours. */
  event(source: "tekton", result: "accepted" | "repeat" | "ignored" | "refused" | "unavailable"): void;
  /** The text exposition format with its content type. */
  page(): Promise<{ contentType: string; body: string }>;
}

// From one store transaction (a few milliseconds) up to a slow push or refresh.
const STAGE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Every call has its own registry, so that several bridges can live in one process. */
export function createMetrics(options: { version: string }): BridgeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const builds = new Counter({
    name: "gitspan_builds_total",
    help: "Builds that were stored, or were known already",
    labelNames: ["result"],
    registers,
  });
  const deliveries = new Counter({
    name: "gitspan_deliveries_total",
    help: "Deliveries that ended, by outcome",
    labelNames: ["outcome"],
    registers,
  });
  const stages = new Histogram({
    name: "gitspan_stage_seconds",
    help: "Duration of one run of a stage",
    labelNames: ["stage"],
    buckets: STAGE_SECONDS,
    registers,
  });
  const pushes = new Counter({
    name: "gitspan_push_total",
    help: "Pushes to GitOps repositories, by result",
    labelNames: ["result"],
    registers,
  });
  const events = new Counter({
    name: "gitspan_events_total",
    help: "Events of CI systems, by what became of them",
    labelNames: ["source", "result"],
    registers,
  });
  new Gauge({
    name: "gitspan_build_info",
    help: "Always 1; the version is in the label",
    labelNames: ["version"],
    registers,
  }).set({ version: options.version }, 1);

  return {
    buildAccepted: (result) => builds.inc({ result }),
    deliveryDone: (outcome) => deliveries.inc({ outcome }),
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    push: (result) => pushes.inc({ result }),
    event: (source, result) => events.inc({ source, result }),
    page: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
