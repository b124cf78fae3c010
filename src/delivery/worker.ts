import type { Ambient } from "../model/ambient.ts";
import type { Delivery, Phase } from "../model/delivery.ts";
import { isGitspanError, messageOf } from "../model/errors.ts";
import type { LaneClaim } from "../model/lane.ts";
import type { Lease } from "../model/work.ts";
import { fieldsOf, logEnded } from "./delivery-log.ts";
import { type ObserveDeps, observe } from "./observe.ts";
import type { LaneResult } from "./push.ts";
import type { ReadStore } from "./store-ports.ts";
import { overBy, type VerifyDeps, verify } from "./verify.ts";
import { type WriteDeps, writeLane } from "./write.ts";

export interface WorkerDeps extends VerifyDeps, ObserveDeps, WriteDeps {
  ambient: Ambient;
  store: VerifyDeps["store"] & ReadStore;
}

export interface WorkerOptions {
  /** Names this process in leases; another after every start. */
  owner: string;
  /** After so long without a sign of life another replica takes over; milliseconds. */
  leaseMs?: number;
  /** How often to look for work when nothing wakes the worker; milliseconds. */
  pollMs?: number;
  /** Lanes that are written at the same time. */
  lanes?: number;
  /** How often to look what others did to a branch at rest; milliseconds, jittered by a quarter. */
  watchMs?: number;
  /** Told after each visit to a lane why it cannot be written, or `undefined` when it can. */
  onLane?: (laneId: string, trouble: string | undefined) => void;
}

interface Running extends Required<WorkerOptions> {
  deps: WorkerDeps;
  /** No new work once aborted. */
  stop: AbortSignal;
  /** Work under way is broken off once aborted. */
  abort: AbortSignal;
  failures: Map<string, number>;
}

/** Deliveries of one stage that are worked on at the same time; one that hangs holds up nobody else. */
const PLACES = 256;
const MAX_BACKOFF_MS = 60_000;
const BASE_BACKOFF_MS = 250;
const BLOCKED_BACKOFF_MS = 30_000;
/** A server may ask for more patience than this; then somebody should look. */
const MAX_RETRY_AFTER_MS = 600_000;
/** From so many failed visits in a row on, deliveries say what they wait for. */
const WORTH_TELLING = 3;

/**
 * Moves every delivery on, from the rows alone: any number of processes may run this on one database. Resolves when
 * `stop` is aborted and the work under way is done, or broken off by `abort`.
 */
export async function runWorker(
  deps: WorkerDeps,
  options: WorkerOptions,
  signals: { stop: AbortSignal; abort: AbortSignal },
): Promise<void> {
  const running: Running = {
    owner: options.owner,
    leaseMs: options.leaseMs ?? 10_000,
    pollMs: options.pollMs ?? 1_000,
    lanes: options.lanes ?? 4,
    watchMs: options.watchMs ?? 60_000,
    onLane: options.onLane ?? (() => undefined),
    ...signals,
    deps,
    failures: new Map(),
  };
  await Promise.all([
    moveOn(running, { stage: "verify", phases: ["received", "waiting"], run: verify }),
    moveOn(running, { stage: "observe", phases: ["following"], run: observe }),
    ...Array.from({ length: running.lanes }, () => loop(running, "write", () => writeNextLane(running))),
  ]);
}

/** Repeats a step while it finds work; otherwise rests until something changes. A failing step never ends the loop. */
async function loop(running: Running, stage: string, step: () => Promise<boolean>): Promise<void> {
  const { deps, stop, abort, pollMs } = running;
  const { clock } = deps.ambient;
  while (!stop.aborted) {
    const over = new AbortController();
    // From before the step: what changes while it looks must not wait for the next poll.
    const change = deps.store.waitForChange(pollMs, AbortSignal.any([stop, over.signal]));
    change.catch(() => undefined);
    try {
      if (!(await step())) await change;
    } catch (error) {
      if (stop.aborted && (error === stop.reason || error === abort.reason)) return;
      deps.log.error("a stage failed", { stage, error });
      await clock.sleep(pollMs, stop).catch(() => undefined);
    } finally {
      over.abort();
    }
  }
}

interface Stage {
  stage: "verify" | "observe";
  phases: readonly Phase[];
  run: (deps: WorkerDeps, delivery: Delivery, signal: AbortSignal) => Promise<void>;
}

/** Works on all deliveries in some phases, many at the same time. */
async function moveOn(running: Running, stage: Stage): Promise<void> {
  const { deps } = running;
  const busy = new Map<string, Promise<void>>();
  /** Claimed once more while it is worked on: just saved and due again, or its lease ran out under our own hands. */
  const again = new Map<string, Delivery>();
  const work = async (delivery: Delivery): Promise<void> => {
    for (let next: Delivery | undefined = delivery; next !== undefined; next = again.get(delivery.id)) {
      again.delete(delivery.id);
      await moveOne(running, stage, next);
    }
    busy.delete(delivery.id);
  };
  await loop(running, stage.stage, async () => {
    while (busy.size > PLACES / 2) await Promise.race(busy.values());
    const free = PLACES - busy.size;
    const claimed = await deps.store.claim(stage.phases, free, leaseOf(running));
    for (const delivery of claimed) {
      if (busy.has(delivery.id)) again.set(delivery.id, delivery);
      else busy.set(delivery.id, work(delivery));
    }
    return claimed.length === free;
  });
  await Promise.all(busy.values());
}

async function moveOne(running: Running, { stage, run }: Stage, delivery: Delivery): Promise<void> {
  const { deps, abort } = running;
  const startedAt = deps.ambient.clock.now();
  try {
    await run(deps, delivery, abort);
    running.failures.delete(delivery.id);
  } catch (error) {
    if (abort.aborted) return;
    await postpone(running, delivery, error).catch((failure: unknown) =>
      deps.log.error("a stage failed", { stage, error: failure }),
    );
  } finally {
    deps.metrics.stage(stage, (deps.ambient.clock.now() - startedAt) / 1000);
  }
}

/** A delivery that cannot be moved on now keeps its phase, says why, and is looked at again later. */
async function postpone(running: Running, delivery: Delivery, error: unknown): Promise<void> {
  const { deps } = running;
  const retryAfterMs = isGitspanError(error) ? (error.retryAfterMs ?? 0) : 0;
  const dueInMs = Math.max(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS), backoff(running, delivery.id));
  deps.log.warn("a delivery has to wait", { ...fieldsOf(delivery), phase: delivery.phase, dueInMs, error });
  const message = `tried again soon: ${messageOf(error)}`;
  await deps.store.save(delivery, { phase: delivery.phase, message, dueInMs });
}

async function writeNextLane(running: Running): Promise<boolean> {
  const { deps, abort, stop } = running;
  const claim = await deps.store.claimLane(leaseOf(running));
  if (claim === undefined) return false;
  const startedAt = deps.ambient.clock.now();
  const result = await keepingLease(running, claim, (signal) => writeLane(deps, claim, signal, stop)).catch(
    (error: unknown): LaneResult => {
      abort.throwIfAborted();
      deps.log.warn("a lane has to wait", { lane: claim.lane.id, error });
      const retryAfterMs = isGitspanError(error) ? error.retryAfterMs : undefined;
      return {
        kind: isGitspanError(error) && !error.transient ? "blocked" : "again",
        why: messageOf(error),
        retryAfterMs,
      };
    },
  );
  deps.metrics.stage("write", (deps.ambient.clock.now() - startedAt) / 1000);
  const restMs = restOf(running, claim, result);
  const trouble = troubleOf(running, claim, result);
  running.onLane(claim.lane.id, trouble);
  if (trouble !== undefined) await tellWhy(running, claim, { trouble, isNews: result.kind === "blocked" });
  await deps.store.releaseLane(claim, restMs);
  return true;
}

/** A lane that fails now and then only takes its time; one that keeps failing is in trouble. */
function troubleOf(running: Running, { lane }: LaneClaim, result: LaneResult): string | undefined {
  if (result.kind === "idle") return undefined;
  const isWorthTelling = result.kind === "blocked" || (running.failures.get(lane.id) ?? 0) >= WORTH_TELLING;
  return isWorthTelling ? result.why : undefined;
}

/** A delivery that waits for a lane says so: "its turn" does not come while the lane cannot be written. */
async function tellWhy(
  { deps }: Running,
  claim: LaneClaim,
  { trouble, isNews }: { trouble: string; isNews: boolean },
): Promise<void> {
  const message = `${claim.lane.id} cannot be written: ${trouble}`;
  const { ready, now } = await deps.store.laneWork(claim);
  for (const { delivery } of ready) {
    // Every wait has an end, also that for a repository which cannot be reached or is no longer configured.
    const ending = overBy(deps.settings(), delivery, now);
    if (ending !== undefined) {
      if (await deps.store.save(delivery, { phase: "done", ending })) logEnded(deps.log, delivery, ending);
      continue;
    }
    if (delivery.phase !== "ready" || delivery.message === message) continue;
    const events = isNews ? [{ kind: "waiting", message }] : [];
    await deps.store.save(delivery, { phase: "ready", message, events });
  }
}

function restOf(running: Running, claim: LaneClaim, result: LaneResult): number {
  switch (result.kind) {
    case "idle":
      running.failures.delete(claim.lane.id);
      return Math.round(running.watchMs * (0.75 + running.deps.ambient.random.next() / 2));
    case "again":
      // What makes progress is not in trouble, however much is left.
      if ((result.landed ?? 0) > 0) running.failures.delete(claim.lane.id);
      return Math.max(Math.min(result.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS), backoff(running, claim.lane.id));
    case "blocked":
      running.deps.log.error("a lane cannot be written", { lane: claim.lane.id, why: result.why });
      return BLOCKED_BACKOFF_MS;
  }
}

/** Runs with the lease renewed in time; the signal aborts when the lane is lost or everything stops. */
async function keepingLease<T>(
  running: Running,
  claim: LaneClaim,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deps, abort, leaseMs } = running;
  const done = new AbortController();
  const lost = new AbortController();
  const renewing = (async () => {
    let heldUntil = deps.ambient.clock.now() + leaseMs;
    for (;;) {
      await deps.ambient.clock.sleep(leaseMs / 3, done.signal);
      const askedAt = deps.ambient.clock.now();
      const held = await deps.store.renewLane(claim, leaseOf(running)).catch((error: unknown) => {
        deps.log.warn("a lane's lease could not be renewed", { lane: claim.lane.id, error });
        return askedAt < heldUntil ? undefined : false;
      });
      if (held === true) heldUntil = askedAt + leaseMs;
      if (held === false) return lost.abort(new Error("the lane has another owner, or may have one"));
    }
  })().catch(() => undefined);
  try {
    return await run(AbortSignal.any([abort, lost.signal]));
  } finally {
    done.abort();
    await renewing;
  }
}

/** Exponential with full jitter; the first two tries at once. */
function backoff(running: Running, key: string): number {
  const failures = (running.failures.get(key) ?? 0) + 1;
  running.failures.set(key, failures);
  if (failures <= 2) return 0;
  const ceiling = Math.min(MAX_BACKOFF_MS, BASE_BACKOFF_MS * 2 ** (failures - 2));
  return Math.round(running.deps.ambient.random.next() * ceiling);
}

function leaseOf(running: Running): Lease {
  return { owner: running.owner, ms: running.leaseMs };
}
