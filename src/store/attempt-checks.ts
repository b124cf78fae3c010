import type { Transaction } from "kysely";
import { heldBy } from "../model/hold.ts";
import type { AttemptInput } from "../model/lane.ts";
import { lockDeliveries } from "./deliveries.ts";
import { holdsOf } from "./holds.ts";
import { type DeliveryRow, deliveryOf } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime } from "./sql.ts";
import { lockTargets } from "./targets.ts";

/** An attempt's item with the readings its plan rests on. */
export type GuardedItem = AttemptInput["items"][number];

export interface Checked {
  /** Deliveries that must not be written as planned. */
  refused: string[];
  /** Database time once everything is locked. */
  at: Date;
}

/**
 * Locks targets and deliveries and checks that each may still be written as it was planned. Creating a hold or a pin
 * locks the same target row: it is either seen here, or comes after the attempt.
 */
export async function checkItems(
  trx: Transaction<Schema>,
  laneId: string,
  items: readonly GuardedItem[],
): Promise<Checked> {
  if (items.length === 0) return { refused: [], at: await databaseTime(trx) };
  const targetIds = [...new Set(items.map((item) => item.targetId))].sort();
  const targets = await lockTargets(trx, targetIds);
  const deliveries = await lockDeliveries(
    trx,
    items.map((item) => item.deliveryId),
  );
  const at = await databaseTime(trx);
  const holds = await holdsOf(trx, targetIds, at);
  const isRefused = (item: GuardedItem): boolean => {
    const target = targets.get(item.targetId);
    const delivery = deliveries.get(item.deliveryId);
    if (target === undefined || delivery === undefined) return true;
    if (target.version !== item.targetVersion || target.pinned_by !== null) return true;
    if (!isAsPlanned(delivery, item, laneId) || delivery.expire_at <= at) return true;
    return heldBy(holds, deliveryOf(delivery), at.getTime()) !== undefined;
  };
  return { refused: items.filter(isRefused).map((item) => item.deliveryId), at };
}

function isAsPlanned(delivery: DeliveryRow, item: GuardedItem, laneId: string): boolean {
  return (
    delivery.version === item.deliveryVersion &&
    (delivery.phase === "ready" || delivery.phase === "writing") &&
    delivery.target_id === item.targetId &&
    delivery.lane_id === laneId
  );
}
