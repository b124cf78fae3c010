import { adopt, attemptDead, attemptLanded, beginAttempt } from "./attempts.ts";
import { brakes, touched } from "./brake.ts";
import { accept, builds } from "./builds.ts";
import { countDeliveries } from "./counts.ts";
import { deliveries, delivery, events, written } from "./deliveries.ts";
import { Feed } from "./feed.ts";
import { examined } from "./foreign.ts";
import { Grouped } from "./grouped.ts";
import { allHolds, createHold, holds, pin, removeHold, unpin } from "./holds.ts";
import { imported } from "./imports.ts";
import { intakePosition, intakeReached } from "./intake-positions.ts";
import { laneWork, standing } from "./lane-work.ts";
import { claimLane, releaseLane, renewLane, wakeLane } from "./lanes.ts";
import type { Changes } from "./notify.ts";
import { rollBack } from "./rollbacks.ts";
import { type Save, saveAll } from "./saves.ts";
import type { Sql } from "./sql.ts";
import { targetIds, targetStates } from "./targets.ts";
import { createToken, revokeToken, tokenByHash } from "./tokens.ts";
import { claim, expedite, now, pending } from "./work.ts";

/** Every port of delivery/store-ports.ts that is about the store, on one database. */
export type PostgresStore = ReturnType<typeof makeStore>;

export function makeStore(sql: Sql, changes: Pick<Changes, "wait">) {
  const on =
    <R extends unknown[], T>(query: (deps: Sql, ...rest: R) => T) =>
    (...rest: R): T =>
      query(sql, ...rest);
  const feed = new Feed(sql);
  const each = {
    now: new Grouped<undefined, number>(async (calls) => Array<number>(calls.length).fill(await now(sql))),
    build: new Grouped((ids: readonly string[]) => builds(sql, ids)),
    pending: new Grouped((targetIds: readonly string[]) => pending(sql, targetIds)),
    targetStates: new Grouped(async (calls: readonly (readonly string[])[]) => {
      const states = await targetStates(sql, [...new Set(calls.flat())]);
      return calls.map((ids) => new Map(ids.flatMap((id) => only(id, states.get(id)))));
    }),
    holds: new Grouped(async (calls: readonly (readonly string[])[]) => {
      const found = await holds(sql, [...new Set(calls.flat())]);
      return calls.map((ids) => found.filter(({ targetId }) => ids.includes(targetId)));
    }),
    save: new Grouped((saves: readonly Save[]) => saveAll(sql, saves)),
  };
  return {
    accept: on(accept),

    build: (id: string) => each.build.call(id),
    delivery: on(delivery),
    deliveries: on(deliveries),
    events: on(events),
    written: on(written),
    eventsAfter: (after: number | undefined, limit: number) => feed.eventsAfter(after, limit),
    countDeliveries: on(countDeliveries),
    targetStates: (ids: readonly string[]) => each.targetStates.call(ids),
    targetIds: on(targetIds),
    holds: (targetIds: readonly string[]) => each.holds.call(targetIds),
    waitForChange: (timeoutMs: number, signal: AbortSignal) => changes.wait(timeoutMs, signal),

    now: () => each.now.call(undefined),
    claim: on(claim),
    save: (delivery: Save["delivery"], change: Save["change"]) => each.save.call({ delivery, change }),
    pending: (targetId: string) => each.pending.call(targetId),
    expedite: on(expedite),

    claimLane: on(claimLane),
    renewLane: on(renewLane),
    releaseLane: (lane: Parameters<typeof releaseLane>[1], dueInMs?: number) => releaseLane(sql, lane, dueInMs),
    wakeLane: on(wakeLane),
    laneWork: on(laneWork),
    standing: on(standing),
    beginAttempt: on(beginAttempt),
    attemptLanded: on(attemptLanded),
    attemptDead: on(attemptDead),
    adopt: on(adopt),
    examined: on(examined),
    imported: on(imported),

    createHold: on(createHold),
    allHolds: on(allHolds),
    removeHold: on(removeHold),
    pin: on(pin),
    unpin: on(unpin),

    rollBack: on(rollBack),
    brakes: on(brakes),
    touched: on(touched),

    createToken: on(createToken),
    revokeToken: on(revokeToken),
    tokenByHash: on(tokenByHash),

    intakePosition: (stream: string, since?: number) => intakePosition(sql, stream, since),
    intakeReached: on(intakeReached),
  };
}

function only<T>(id: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[id, value]];
}
