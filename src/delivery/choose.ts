import type { Delivery, Ending } from "../model/delivery.ts";
import type { LaneWork, ReadyDelivery } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import type { Target } from "../model/target.ts";
import { heldFor } from "./held.ts";
import { compareBuilds, newest } from "./order.ts";
import type { Settings, SourceHistory } from "./ports.ts";
import { mayRollBack } from "./rollback-right.ts";
import { isProven, mustProve } from "./trust-check.ts";
import { outrun, overBy, supersededBy, targetOf } from "./verify.ts";

/** What becomes of those that are not chosen. */
export interface Choice {
  /** Deliveries that end here without being written. */
  ended: { delivery: Delivery; ending: Ending }[];
  /** Deliveries that have to look again whether they may be written. */
  deferred: Delivery[];
}

export interface Chosen {
  candidate: ReadyDelivery;
  target: Target;
  state: TargetState;
  warnings: string[];
}

export interface ChooseInput {
  work: LaneWork;
  settings: Settings;
  state: TargetState;
  /** What is ready at this target. */
  ready: readonly ReadyDelivery[];
  choice: Choice;
}

/**
 * The delivery to write at one target, if any; the others end or wait. A rollback goes first: builds that came
 * meanwhile are compared with what stands after it.
 */
export async function choose(
  deps: { history: SourceHistory },
  input: ChooseInput,
  signal: AbortSignal,
): Promise<Chosen | undefined> {
  const { work, settings, state, choice } = input;
  const candidates: ReadyDelivery[] = [];
  for (const candidate of input.ready) {
    const ending =
      overBy(settings, candidate.delivery, work.now) ??
      forbidden(settings, candidate) ??
      outrun(candidate.delivery, state);
    if (ending !== undefined) choice.ended.push({ delivery: candidate.delivery, ending });
    else if (mayBeWritten(settings, candidate.delivery)) candidates.push(candidate);
    else choice.deferred.push(candidate.delivery);
  }
  const rollback = candidates.find(({ delivery }) => delivery.kind === "rollback");
  const best =
    rollback === undefined ? await newest(deps.history, candidates, signal) : { newest: rollback, warnings: [] };
  if (best.newest === undefined) return undefined;
  const { delivery, build } = best.newest;
  if (rollback === undefined) {
    for (const other of candidates) {
      if (other.delivery.id === delivery.id) continue;
      choice.ended.push({ delivery: other.delivery, ending: supersededBy(delivery) });
    }
    if (state.current !== undefined) {
      const { order } = await compareBuilds(deps.history, build, state.current.build, signal);
      if (order === "older") {
        choice.ended.push({ delivery, ending: supersededBy(state.current.delivery) });
        return undefined;
      }
    }
  }
  const hold = await heldFor(deps.history, { holds: work.holds, delivery, build, now: work.now }, signal);
  if (state.pinned !== undefined || hold !== undefined) {
    choice.deferred.push(delivery);
    return undefined;
  }
  const target = targetOf(settings, delivery);
  return target === undefined ? undefined : { candidate: best.newest, target, state, warnings: best.warnings };
}

/** False for what was proven under another policy, or came when there was none. */
function mayBeWritten(settings: Settings, delivery: Delivery): boolean {
  const target = targetOf(settings, delivery);
  return target === undefined || !mustProve(target, delivery) || isProven(target, delivery);
}

/** Permission is asked for again before every write: access rules change while a delivery waits. */
function forbidden(settings: Settings, { delivery, build }: ReadyDelivery): Ending | undefined {
  const { app, environment, rollback } = delivery;
  if (rollback !== undefined) {
    if (mayRollBack(settings, delivery, rollback)) return undefined;
    const message = `${rollback.by?.subject ?? "gitspan"} may no longer roll back ${app} in ${environment}`;
    return { outcome: "rejected", reason: "forbidden", message };
  }
  if (settings.allows({ subject: build.subject, groups: build.groups }, { action: "deliver", app, environment })) {
    return undefined;
  }
  const message = `${build.subject} may no longer deliver ${app} to ${environment}`;
  return { outcome: "rejected", reason: "forbidden", message };
}
