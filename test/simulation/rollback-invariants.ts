import type { Delivery } from "../../src/model/delivery.ts";
import type { Hold } from "../../src/model/hold.ts";
import type { TargetState } from "../../src/model/reading.ts";
import { deliveryOf, type History } from "./invariants.ts";

export interface RollbackHistory extends History {
  /** People's reverts, by commit: the delivery that they took out. */
  reverts: ReadonlyMap<string, { target: string; delivery: string }>;
  /** Foreign commits by the target whose file they touch. */
  touched: ReadonlyMap<string, readonly string[]>;
  released: ReadonlySet<string>;
  /** Targets whose reverts hold and do not pin. */
  holding: ReadonlySet<string>;
  states: readonly TargetState[];
  holds: readonly Hold[];
}

const BRAKE = { atMost: 3, withinMs: 600_000 };

/** Promises 7 and 9 of the architecture, as far as the history of one run can show them broken. */
export function rollbackViolations(history: RollbackHistory): string[] {
  return [
    ...rolledBackRollbacks(history),
    ...writtenAgain(history),
    ...undoneReverts(history),
    ...avalanches(history),
    ...heldStanding(history),
  ];
}

/** 7: no rollback of a rollback. */
function rolledBackRollbacks({ deliveries }: History): string[] {
  const rollbacks = new Set(deliveries.filter(({ kind }) => kind === "rollback").map(({ id }) => id));
  return deliveries
    .filter(({ rollback }) => rollback?.undoes.some((id) => rollbacks.has(id)))
    .map(({ id }) => `rollback ${id} takes out a rollback`);
}

/** 7: after a rollback only builds that are newer than everything it took out, and none of its digests. */
function writtenAgain(history: RollbackHistory): string[] {
  const byId = new Map(history.deliveries.map((delivery) => [delivery.id, delivery]));
  return ours(history).flatMap(({ delivery: rollback, later }) => {
    if (rollback.rollback === undefined || rollback.rollback.trigger === "hold") return [];
    const undone = rollback.rollback.undoes.flatMap((id) => byId.get(id) ?? []);
    return later
      .filter((one) => one.kind === "build" && undone.some((bad) => isHeldBy(history, one, { bad, keeps: rollback })))
      .map((one) => `delivery ${one.id} brings back to ${one.targetId} what rollback ${rollback.id} took out`);
  });
}

/** 7: nothing is written over a person's revert, or nothing of what it took out where reverts only hold. */
function undoneReverts(history: RollbackHistory): string[] {
  const { commits, reverts, touched, released, holding } = history;
  const byId = new Map(history.deliveries.map((delivery) => [delivery.id, delivery]));
  const found: string[] = [];
  for (const [oid, { target, delivery }] of reverts) {
    // Whoever touched the file afterwards, or released the target, decided anew.
    if (released.has(target) || touched.get(target)?.at(-1) !== oid) continue;
    const at = commits.findIndex((commit) => commit.oid === oid);
    const later = commits.slice(0, at).flatMap((commit) => byId.get(deliveryOf(commit) ?? "") ?? []);
    const bad = byId.get(delivery);
    for (const one of later.filter(({ targetId }) => targetId === target)) {
      const isWrong = holding.has(target)
        ? bad?.kind === "build" && one.kind === "build" && isHeldBy(history, one, { bad, keeps: undefined })
        : true;
      if (isWrong) found.push(`delivery ${one.id} is written over the revert ${oid.slice(0, 8)} of ${target}`);
    }
  }
  return found;
}

/** 9: never more than three automatic rollbacks within ten minutes. */
function avalanches({ deliveries }: History): string[] {
  const times = deliveries
    .filter(({ rollback }) => rollback?.trigger === "automatic")
    .map(({ createdAt }) => createdAt)
    .sort((a, b) => a - b);
  return times
    .filter((time, index) => time - (times[index - BRAKE.atMost] ?? Number.NEGATIVE_INFINITY) < BRAKE.withinMs)
    .map((time) => `more than ${BRAKE.atMost} automatic rollbacks within ten minutes, the last at ${time}`);
}

/** 7: what landed in spite of a hold does not stay. */
function heldStanding({ states, holds }: RollbackHistory): string[] {
  return states.flatMap(({ id, current, pinned, overridden }) => {
    const { delivery } = current ?? {};
    if (delivery === undefined || pinned !== undefined || overridden !== undefined) return [];
    const pushedAt = delivery.observation?.pushedAt ?? 0;
    const digests = new Set(delivery.images.map(({ digest }) => digest));
    return holds
      .filter((hold) => hold.targetId === id && hold.createdAt <= pushedAt)
      .filter(({ digest }) => digest !== undefined && digests.has(digest))
      .map((hold) => `${id} stands on ${delivery.id}, which hold ${hold.id} forbids`);
  });
}

function isHeldBy(
  { sourceTimes }: History,
  one: Delivery,
  { bad, keeps }: { bad: Delivery; keeps: Delivery | undefined },
): boolean {
  const kept = new Set(keeps?.images.map(({ digest }) => digest));
  const held = new Set(bad.images.map(({ digest }) => digest).filter((digest) => !kept.has(digest)));
  if (one.images.some(({ digest }) => digest !== undefined && held.has(digest))) return true;
  return (sourceTimes.get(one.buildId) ?? 0) <= (sourceTimes.get(bad.buildId) ?? 0);
}

/** Our deliveries on the branch, each with those of its target that came after it. */
function ours({ commits, deliveries }: History): { delivery: Delivery; later: Delivery[] }[] {
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const written = commits.toReversed().flatMap((commit) => byId.get(deliveryOf(commit) ?? "") ?? []);
  return written.map((delivery, index) => ({
    delivery,
    later: written.slice(index + 1).filter(({ targetId }) => targetId === delivery.targetId),
  }));
}
