import type { Build } from "../model/build.ts";
import type { Delivery, Ending, NewEvent } from "../model/delivery.ts";
import type { TargetState } from "../model/reading.ts";
import { laneOf, type Target } from "../model/target.ts";
import type { DeliveryChange } from "../model/work.ts";
import { logEnded } from "./delivery-log.ts";
import { heldFor } from "./held.ts";
import { compareBuilds, newest } from "./order.ts";
import type { Log, Metrics, Settings, SourceHistory, Trust } from "./ports.ts";
import { historyOnly } from "./since.ts";
import type { DeliveryStore } from "./store-ports.ts";
import { checkTrust, isProven, mustProve, type TrustResult } from "./trust-check.ts";

export interface VerifyDeps {
  store: DeliveryStore;
  history: SourceHistory;
  trust: Trust;
  settings: () => Settings;
  log: Log;
  metrics: Metrics;
}

/** How long a waiting delivery rests before somebody looks whether it may go on. */
const WAITING_LOOK_MS = 10_000;

/** Decides whether a received or waiting delivery may be written, must wait, or is over. */
export async function verify(deps: VerifyDeps, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const change = await decide(deps, delivery, signal);
  const saved = await deps.store.save(delivery, change);
  if (saved && change.ending !== undefined) logEnded(deps.log, delivery, change.ending);
}

async function decide(deps: VerifyDeps, delivery: Delivery, signal: AbortSignal): Promise<DeliveryChange> {
  const now = await deps.store.now();
  const settings = deps.settings();
  const over = overBy(settings, delivery, now);
  if (over !== undefined) return ended(over);

  const build = await deps.store.build(delivery.buildId);
  if (build === undefined) throw new Error(`delivery ${delivery.id} has no build`);
  const state = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId);
  const old = state && historyOnly({ delivery, build, since: state.since });
  if (old !== undefined) return ended(old);
  const newer =
    delivery.rollback === undefined
      ? await newerThan(deps, { delivery, build, now }, signal)
      : { ending: outrun(delivery, state), warnings: [] };
  const warnings = newer.warnings.map((message) => ({ kind: "warning", message }));
  if (newer.ending !== undefined) return { ...ended(newer.ending), events: warnings };

  const held = await heldBack(deps, { delivery, build, now, state }, signal);
  const target = targetOf(settings, delivery);
  // Looked at once while it is held, and again when it may go.
  const trust: TrustResult =
    held !== undefined && target !== undefined && isProven(target, delivery)
      ? { kind: "passed" }
      : await checkTrust(deps, { settings, delivery, build, now }, signal);
  if (trust.kind === "refused") return { ...ended(trust.ending), events: [...warnings, trust.event] };
  if (trust.kind === "waiting") return waiting(delivery, trust);
  const proof = trust.record && { trust: trust.record };
  const events = [...warnings, ...(trust.event ? [trust.event] : [])];
  if (held !== undefined) return { ...waiting(delivery, held, events), ...proof };
  return {
    phase: "ready",
    message: "waits for its turn to be written",
    ...proof,
    events: [...events, { kind: "ready", message: "may be written" }],
  };
}

interface Wait {
  reason: "pin" | "hold" | "signature";
  message: string;
  dueInMs?: number;
  /** For the history. */
  data?: Record<string, unknown>;
}

/** What people have against writing it. */
async function heldBack(
  deps: VerifyDeps,
  { delivery, build, now, state }: { delivery: Delivery; build: Build; now: number; state: TargetState | undefined },
  signal: AbortSignal,
): Promise<Wait | undefined> {
  if (state?.pinned !== undefined) {
    const message = `${delivery.targetId} is pinned by ${state.pinned.by}: ${state.pinned.why}`;
    return { reason: "pin", message };
  }
  const holds = await deps.store.holds([delivery.targetId]);
  const hold = await heldFor(deps.history, { holds, delivery, build, now }, signal);
  return hold && { reason: "hold", message: `held by ${hold.by}: ${hold.why}` };
}

/** An ending when something newer stands at the target or is on its way to it. */
async function newerThan(
  deps: VerifyDeps,
  { delivery, build, now }: { delivery: Delivery; build: Build; now: number },
  signal: AbortSignal,
): Promise<{ ending?: Ending; warnings: string[] }> {
  const current = (await deps.store.targetStates([delivery.targetId])).get(delivery.targetId)?.current;
  const target = targetOf(deps.settings(), delivery);
  const onTheirWay = (await deps.store.pending(delivery.targetId)).filter(({ delivery: one }) => {
    if (one.id === delivery.id) return true;
    // One that may yet be refused must not take the place of one that is proven.
    const mayBeRefused = target !== undefined && mustProve(target, one) && one.trust === undefined;
    return one.expireAt > now && one.kind !== "rollback" && !mayBeRefused;
  });
  const others = onTheirWay.filter((other) => other.delivery.id !== delivery.id);
  const warnings: string[] = [];
  for (const other of current === undefined ? others : [current, ...others]) {
    const { order, warning } = await compareBuilds(deps.history, build, other.build, signal);
    if (warning !== undefined) warnings.push(warning);
    if (order !== "older") continue;
    // Where history and completion contradict each other in a circle, everybody keeps the same one.
    const keeps = other !== current && (await newest(deps.history, onTheirWay, signal)).newest;
    if (!keeps || keeps.delivery.id !== delivery.id) return { ending: supersededBy(other.delivery), warnings };
  }
  return { warnings };
}

function waiting(delivery: Delivery, wait: Wait, events: readonly NewEvent[] = []): DeliveryChange {
  const { reason, message, dueInMs = WAITING_LOOK_MS, data } = wait;
  const isNews = delivery.waitReason !== reason || delivery.message !== message;
  return {
    phase: "waiting",
    waitReason: reason,
    message,
    dueInMs,
    events: [...events, ...(isNews ? [{ kind: "waiting", message, ...(data && { data }) }] : [])],
  };
}

function ended(ending: Ending): DeliveryChange {
  return { phase: "done", ending };
}

/** The end of a rollback when what it takes out does not stand any more. */
export function outrun({ rollback, targetId }: Delivery, state: TargetState | undefined): Ending | undefined {
  const standing = state?.current?.delivery.id;
  if (rollback === undefined || standing === rollback.reverts) return undefined;
  return {
    outcome: "superseded",
    message: `delivery ${standing ?? "of somebody else"} came to ${targetId} before ${rollback.reverts} could be taken out`,
  };
}

export function supersededBy(other: Delivery): Ending {
  return { outcome: "superseded", message: `delivery ${other.id} brings a newer build to ${other.targetId}` };
}

/** The delivery's target; undefined when the configuration has it no longer, or writes it to another branch. */
export function targetOf(settings: Pick<Settings, "target">, delivery: Delivery): Target | undefined {
  const target = settings.target(delivery.targetId);
  return target !== undefined && laneOf(target).id === delivery.laneId ? target : undefined;
}

/** The end of a delivery that nobody can write any more, whatever its repository says. */
export function overBy(settings: Settings, delivery: Delivery, now: number): Ending | undefined {
  const isOpen = settings.undecided(delivery.targetId) !== undefined;
  if (!isOpen && targetOf(settings, delivery) === undefined) return targetRemoved(settings, delivery);
  if (delivery.expireAt > now) return undefined;
  return { outcome: "cancelled", reason: "expired", message: "it was not done within its time limit" };
}

/** An Application that was this target, or would be, and may not. */
function refusalOf(settings: Settings, targetId: string): string {
  const refused = settings.refused().find(({ app, environment }) => `${app}/${environment ?? ""}` === targetId);
  return refused === undefined ? "" : `: ${refused.message}`;
}

function targetRemoved(settings: Settings, { targetId, laneId }: Delivery): Ending {
  const target = settings.target(targetId);
  const message =
    target === undefined
      ? `${targetId} is no longer in the configuration${refusalOf(settings, targetId)}`
      : `${targetId} is now written to ${laneOf(target).id}, this was for ${laneId}`;
  return { outcome: "cancelled", reason: "target-removed", message };
}
