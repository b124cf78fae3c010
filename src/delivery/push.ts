import type { Oid, PreparedPush, PushResult } from "../model/git.ts";
import type { AttemptInput, AttemptItem } from "../model/lane.ts";
import type { GitRepository, Log, Metrics } from "./ports.ts";
import type { DeliveryStore } from "./store-ports.ts";

export interface PushDeps {
  store: Pick<DeliveryStore, "attemptLanded" | "attemptDead" | "delivery" | "save">;
  git: Pick<GitRepository, "push">;
  log: Log;
  metrics: Metrics;
}

/**
 * What one visit to a lane came to. `idle`: nothing left to write. `again`: something is left, and a moment helps.
 * `blocked`: the server refuses everybody, only people can help.
 */
export type LaneResult =
  | { kind: "idle" }
  | {
      kind: "again" | "blocked";
      why: string;
      retryAfterMs?: number;
      /** Deliveries that this visit has brought onto the branch all the same. */
      landed?: number;
    };

/** What the pushes of one visit have taught. */
export interface Round {
  /** How many deliveries may go into one push; shrinks while the culprit of a refusal is sought. */
  limit: number;
  /** The same while races are lost: a smaller push is quicker. */
  batch: number;
  /** Races lost since something landed. */
  races: number;
  landed: number;
  /** The tip, where our own push has just told it. */
  tip: Oid | undefined;
}

/** Below this a push does not get quicker. */
const MIN_BATCH = 16;
/** Of one push: its attempt is one statement of the database, whose parameters are counted in 16 bits. */
const MAX_BATCH = 2_000;

export function newRound(): Round {
  return { limit: MAX_BATCH, batch: MAX_BATCH, races: 0, landed: 0, tip: undefined };
}

/** Pushes a begun attempt and acts on the answer. */
export async function pushAttempt(
  deps: PushDeps,
  input: { attempt: AttemptInput; prepared: PreparedPush; round: Round },
  signal: AbortSignal,
): Promise<LaneResult | "next"> {
  const { attempt, prepared, round } = input;
  const result = await deps.git.push(prepared, signal);
  deps.metrics.push(result.kind);
  const stored = { id: attempt.id, laneId: attempt.claim.lane.id };
  const fields = { lane: stored.laneId, deliveries: attempt.items.length, result: result.kind };
  deps.log.info("pushed", fields);
  switch (result.kind) {
    case "landed":
      await deps.store.attemptLanded(stored);
      round.limit = MAX_BATCH;
      round.batch = Math.min(MAX_BATCH, round.batch * 2);
      round.races = 0;
      round.landed += attempt.items.length;
      round.tip = prepared.head;
      return "next";
    case "lost-race":
      round.races++;
      round.batch = Math.max(MIN_BATCH, Math.ceil(attempt.items.length / 2));
      return "next";
    case "unclear":
      deps.log.warn("push has no clear answer", { ...fields, message: result.message });
      return { kind: "again", why: result.message };
    case "unavailable":
      await deps.store.attemptDead(stored, result.message);
      return { kind: "again", why: result.message, retryAfterMs: result.retryAfterMs };
    case "refused":
      return refused(deps, { result, stored, items: attempt.items, round });
  }
}

/** A refusal of everybody blocks the lane; any other is bisected, so that only the culprit is rejected. */
async function refused(
  deps: PushDeps,
  input: {
    result: Extract<PushResult, { kind: "refused" }>;
    stored: { id: string; laneId: string };
    items: readonly AttemptItem[];
    round: Round;
  },
): Promise<LaneResult | "next"> {
  const { result, stored, items, round } = input;
  await deps.store.attemptDead(stored, result.message);
  if (result.reason === "auth" || result.reason === "not-found") return { kind: "blocked", why: result.message };
  if (items.length > 1) {
    round.limit = Math.ceil(items.length / 2);
    return "next";
  }
  round.limit = MAX_BATCH;
  const culprit = await deps.store.delivery(items[0]?.deliveryId ?? "");
  if (culprit === undefined) return "next";
  const ending = { outcome: "rejected", reason: "push-refused", message: result.message } as const;
  if (await deps.store.save(culprit, { phase: "done", ending })) return "next";
  // An earlier push without an answer may still land it: not rejected as long as that is open.
  return { kind: "again", why: result.message };
}
