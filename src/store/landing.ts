import { sql, type Transaction } from "kysely";
import type { Ending } from "../model/delivery.ts";
import type { AttemptItem } from "../model/lane.ts";
import { doneEvent, record, recordOf } from "./history.ts";
import { type DeliveryRow, jsonText } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { lockTargets } from "./targets.ts";

/**
 * The items' commits are on the branch: their deliveries follow from now on and are what stands at their targets;
 * what still followed there is superseded. Deliveries that have moved on meanwhile are left alone.
 */
export async function land(
  trx: Transaction<Schema>,
  at: Date,
  items: readonly AttemptItem[],
  kind: "landed" | "adopted",
): Promise<void> {
  const targetIds = [...new Set(items.map((item) => item.targetId))].sort();
  await lockTargets(trx, targetIds);
  const rows = await lockConcerned(trx, items, targetIds);
  for (const item of items) {
    const phase = rows.get(item.deliveryId)?.phase;
    if (phase !== "writing" && (phase !== "ready" || kind === "landed")) continue;
    await follow(trx, at, item, kind);
    const older = [...rows.values()].filter(
      (row) => row.phase === "following" && row.target_id === item.targetId && row.id !== item.deliveryId,
    );
    await supersede(trx, at, older, item);
    await trx
      .updateTable("target")
      .set({
        current_id: item.deliveryId,
        overridden_kind: null,
        overridden_commit: null,
        version: sql<number>`version + 1`,
      })
      .where("id", "=", item.targetId)
      .execute();
  }
}

async function lockConcerned(
  trx: Transaction<Schema>,
  items: readonly AttemptItem[],
  targetIds: readonly string[],
): Promise<Map<string, DeliveryRow>> {
  const ids = items.map((item) => item.deliveryId);
  const rows = await trx
    .selectFrom("delivery")
    .selectAll()
    .where((where) =>
      where.or([
        where("id", "in", ids),
        where.and([where("target_id", "in", targetIds), where("phase", "=", "following")]),
      ]),
    )
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

async function follow(
  trx: Transaction<Schema>,
  at: Date,
  item: AttemptItem,
  kind: "landed" | "adopted",
): Promise<void> {
  await trx
    .updateTable("delivery")
    .set({
      phase: "following",
      wait_reason: null,
      message: null,
      commit: item.commit,
      observation: jsonText({ ...item.observation, pushedAt: at.getTime() }),
      version: sql<number>`version + 1`,
      due_at: at,
      lease_owner: null,
      lease_until: null,
      updated_at: at,
    })
    .where("id", "=", item.deliveryId)
    .execute();
  const message =
    kind === "landed" ? `commit ${item.commit} is on the branch` : `commit ${item.commit} holds it already`;
  await record(trx, at, [{ deliveryId: item.deliveryId, kind, message, data: { commit: item.commit } }]);
}

async function supersede(
  trx: Transaction<Schema>,
  at: Date,
  older: readonly DeliveryRow[],
  newer: AttemptItem,
): Promise<void> {
  const ending: Ending = {
    outcome: "superseded",
    message: `delivery ${newer.deliveryId} brought commit ${newer.commit}`,
  };
  await end(trx, at, older, ending);
}

/** Ends deliveries whose rows are locked. */
export async function end(
  trx: Transaction<Schema>,
  at: Date,
  rows: readonly DeliveryRow[],
  ending: Ending,
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  await trx
    .updateTable("delivery")
    .set({
      phase: "done",
      wait_reason: null,
      outcome: ending.outcome,
      reason: ending.reason ?? null,
      message: ending.message,
      version: sql<number>`version + 1`,
      lease_owner: null,
      lease_until: null,
      updated_at: at,
    })
    .where("id", "in", ids)
    .execute();
  await recordOf(trx, at, ids, [doneEvent(ending)]);
}
