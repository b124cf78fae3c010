import type { Build } from "../model/build.ts";
import type { Delivery, Ending } from "../model/delivery.ts";
import { heldBy } from "../model/hold.ts";
import { compareBuilds } from "./order.ts";
import type { Settings, SourceHistory } from "./ports.ts";
import type { DeliveryChange, DeliveryStore } from "./store-ports.ts";

export interface VerifyDeps {
  store: DeliveryStore;
  history: SourceHistory;
  settings: () => Settings;
}

/** How long a waiting delivery rests before somebody looks whether it may go on. */
const WAITING_LOOK_MS = 10_000;

/** Decides whether a received or waiting delivery may be written, must wait, or is over. */
export async function verify(deps: VerifyDeps, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const change = await decide(deps, delivery, signal);
  await deps.store.save(delivery, change);
}

async function decide(deps: VerifyDeps, delivery: Delivery, signal: AbortSignal): Promise<DeliveryChange> {
  const now = await deps.store.now();
  if (delivery.expireAt <= now) return ended(expired());
  if (deps.settings().target(delivery.targetId) === undefined) return ended(targetRemoved(delivery.targetId));

  const build = await deps.store.build(delivery.buildId);
  if (build === undefined) throw new Error(`delivery ${delivery.id} has no build`);
  const newer = await newerThan(deps, delivery, build, signal);
  if (newer.ending !== undefined) return ended(newer.ending);

  const warnings = newer.warnings.map((message) => ({ kind: "warning", message }));
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  if (state?.pinned !== undefined) {
    return waiting(delivery, "pin", `${delivery.targetId} is pinned by ${state.pinned.by}: ${state.pinned.why}`);
  }
  const hold = heldBy(await deps.store.holds([delivery.targetId]), delivery.targetId, delivery.images, now);
  if (hold !== undefined) return waiting(delivery, "hold", `held by ${hold.by}: ${hold.why}`);
  return {
    phase: "ready",
    message: "waits for its turn to be written",
    events: [...warnings, { kind: "ready", message: "may be written" }],
  };
}

/** An ending when something newer stands at the target or is on its way to it. */
async function newerThan(
  deps: VerifyDeps,
  delivery: Delivery,
  build: Build,
  signal: AbortSignal,
): Promise<{ ending?: Ending; warnings: string[] }> {
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  const others = (await deps.store.pending(delivery.targetId)).filter((other) => other.delivery.id !== delivery.id);
  if (state?.current !== undefined) others.unshift(state.current);
  const warnings: string[] = [];
  for (const other of others) {
    const { order, warning } = await compareBuilds(deps.history, build, other.build, signal);
    if (warning !== undefined) warnings.push(warning);
    if (order === "older") return { ending: supersededBy(other.delivery), warnings };
  }
  return { warnings };
}

function waiting(delivery: Delivery, reason: "pin" | "hold", message: string): DeliveryChange {
  const isNews = delivery.waitReason !== reason || delivery.message !== message;
  return {
    phase: "waiting",
    waitReason: reason,
    message,
    dueInMs: WAITING_LOOK_MS,
    events: isNews ? [{ kind: "waiting", message }] : [],
  };
}

function ended(ending: Ending): DeliveryChange {
  return { phase: "done", ending };
}

export function supersededBy(other: Delivery): Ending {
  return { outcome: "superseded", message: `delivery ${other.id} brings a newer build to ${other.targetId}` };
}

export function expired(): Ending {
  return { outcome: "cancelled", reason: "expired", message: "it was not done within its time limit" };
}

export function targetRemoved(targetId: string): Ending {
  return {
    outcome: "cancelled",
    reason: "target-removed",
    message: `${targetId} is no longer in the configuration`,
  };
}
