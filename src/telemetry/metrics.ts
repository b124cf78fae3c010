import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../model/ambient.ts";
import type { PushResult } from "../model/git.ts";
import type { RefusalReason } from "../model/refusal.ts";
import { makeGauges, type Readings } from "./readings.ts";

/** How a run of Tekton came: by an event, the watch, or Tekton Results. */
type EventSource = "tekton" | "tekton-watch" | "tekton-results";
type Stage = "accept" | "verify" | "write" | "observe";

/** What the parts count, and the page that Prometheus reads. Labels have few values: never an image, commit or app. */
export interface BridgeMetrics {
  buildAccepted(result: "accepted" | "repeat"): void;
  /** Seconds that one run of a stage took. */
  stage(stage: Stage, seconds: number): void;
  push(result: PushResult["kind"]): void;
  /** Seconds from the landing of a delivery's commit to its outcome `healthy`. */
  commitToHealthy(seconds: number): void;
  rollback(trigger: "manual" | "automatic" | "hold", result: "begun" | "braked" | "impossible"): void;
  /** What was decided of one delivery's images. */
  trust(result: "proven" | "waiting" | "refused"): void;
  /** One request to an image registry. */
  registryRequest(result: "found" | "absent" | "limited" | "refused" | "failed"): void;
  /** One event of a CI system; `refused` was the sender's fault, `unavailable` ours. */
  event(source: EventSource, result: "accepted" | "repeat" | "ignored" | "refused" | "unavailable"): void;
  /** A caller, or what a caller asked for, was refused; `reason` is one of the words of model/refusal.ts. */
  refused(reason: RefusalReason): void;
  /** One answered HTTP request; `route` is the pattern, not the path. */
  request(request: { route: string; method: string; status: number; seconds: number }): void;
  /** Event streams that are open now. */
  streams(open: number): void;
  /** Adds what is not counted but read whenever the page is. */
  readAtScrape(readings: Readings): void;
  /** The text exposition format with its content type. */
  page(): Promise<{ contentType: string; body: string }>;
}

// From one store transaction (a few milliseconds) up to a slow push or refresh.
const STAGE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
// The default settle time is 30 s and the default timeout 13 min.
const HEALTHY_SECONDS = [5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 3_600];
// A request that waits for a build is held for up to a minute.
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 60];

/** Every call has its own registry, so that several bridges can live in one process. */
export function createMetrics(options: { version: string; clock: Clock }): BridgeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const builds = new Counter({
    name: "gitspan_builds_total",
    help: "Builds that were stored, or were known already",
    labelNames: ["result"],
    registers,
  });
  const events = new Counter({
    name: "gitspan_events_total",
    help: "Events of CI systems, by what became of them",
    labelNames: ["source", "result"],
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
    name: "gitspan_git_push_total",
    help: "Pushes to GitOps repositories, by result",
    labelNames: ["result"],
    registers,
  });
  const healthy = new Histogram({
    name: "gitspan_commit_to_healthy_seconds",
    help: "From the commit on the branch to the outcome healthy",
    buckets: HEALTHY_SECONDS,
    registers,
  });
  const rollbacks = new Counter({
    name: "gitspan_rollbacks_total",
    help: "Rollbacks, by what asked for them and whether they began",
    labelNames: ["trigger", "result"],
    registers,
  });
  const refusals = new Counter({
    name: "gitspan_refusals_total",
    help: "Callers, and what they asked for, that were refused for lack of proof or of a right",
    labelNames: ["reason"],
    registers,
  });
  const decisions = new Counter({
    name: "gitspan_trust_decisions_total",
    help: "Looks at what is proven of a delivery's images, by what was decided",
    labelNames: ["result"],
    registers,
  });
  const registryRequests = new Counter({
    name: "gitspan_registry_requests_total",
    help: "Requests to image registries, by what came of them",
    labelNames: ["result"],
    registers,
  });
  const requests = new Counter({
    name: "gitspan_http_requests_total",
    help: "Answered requests, by route pattern, method and status",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "gitspan_http_request_seconds",
    help: "Time to the end of the answer, by route pattern and method",
    labelNames: ["route", "method"],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const streams = new Gauge({ name: "gitspan_http_streams", help: "Open event streams", registers });
  new Gauge({
    name: "gitspan_build_info",
    help: "Always 1; the version is in the label",
    labelNames: ["version"],
    registers,
  }).set({ version: options.version }, 1);

  let update = async (): Promise<void> => undefined;
  return {
    buildAccepted: (result) => builds.inc({ result }),
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    push: (result) => pushes.inc({ result }),
    commitToHealthy: (seconds) => healthy.observe(seconds),
    rollback: (trigger, result) => rollbacks.inc({ trigger, result }),
    trust: (result) => decisions.inc({ result }),
    registryRequest: (result) => registryRequests.inc({ result }),
    event: (source, result) => events.inc({ source, result }),
    refused: (reason) => refusals.inc({ reason }),
    request: ({ route, method, status, seconds }) => {
      requests.inc({ route, method, status: String(status) });
      durations.observe({ route, method }, seconds);
    },
    streams: (open) => streams.set(open),
    readAtScrape: (readings) => {
      update = makeGauges({ registry, clock: options.clock }, readings);
    },
    page: async () => {
      await update();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
