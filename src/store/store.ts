import { adopt, attemptDead, attemptLanded, beginAttempt } from "./attempts.ts";
import { brakes, touched } from "./brake.ts";
import { accept, build } from "./builds.ts";
import { countDeliveries } from "./counts.ts";
import { deliveries, delivery, events, written } from "./deliveries.ts";
import { Feed } from "./feed.ts";
import { examined } from "./foreign.ts";
import { allHolds, createHold, holds, pin, removeHold, unpin } from "./holds.ts";
import { imported } from "./imports.ts";
import { intakePosition, intakeReached } from "./intake-positions.ts";
import { laneWork } from "./lane-work.ts";
import { claimLane, releaseLane, renewLane, wakeLane } from "./lanes.ts";
import type { Changes } from "./notify.ts";
import { rollBack } from "./rollbacks.ts";
import type { Sql } from "./sql.ts";
import { targetIds, targetStates } from "./targets.ts";
import { createToken, revokeToken, tokenByHash } from "./tokens.ts";
import { claim, expedite, now, pending, save } from "./work.ts";

/** Every port of delivery/store-ports.ts that is about the store, on one database. */
export type PostgresStore = ReturnType<typeof makeStore>;

export function makeStore(sql: Sql, changes: Pick<Changes, "wait">) {
  const on =
    <R extends unknown[], T>(query: (deps: Sql, ...rest: R) => T) =>
    (...rest: R): T =>
      query(sql, ...rest);
  const feed = new Feed(sql);
  return {
    accept: on(accept),

    build: on(build),
    delivery: on(delivery),
    deliveries: on(deliveries),
    events: on(events),
    written: on(written),
    eventsAfter: (after: number | undefined, limit: number) => feed.eventsAfter(after, limit),
    countDeliveries: on(countDeliveries),
    targetStates: on(targetStates),
    targetIds: on(targetIds),
    holds: on(holds),
    waitForChange: (timeoutMs: number, signal: AbortSignal) => changes.wait(timeoutMs, signal),

    now: on(now),
    claim: on(claim),
    save: on(save),
    pending: on(pending),
    expedite: on(expedite),

    claimLane: on(claimLane),
    renewLane: on(renewLane),
    releaseLane: (lane: Parameters<typeof releaseLane>[1], dueInMs?: number) => releaseLane(sql, lane, dueInMs),
    wakeLane: on(wakeLane),
    laneWork: on(laneWork),
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
