import { sql, type Transaction } from "kysely";
import type { Ending, Rollback } from "../model/delivery.ts";
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
    const rollback = rows.get(item.deliveryId)?.rollback ?? undefined;
    if (rollback !== undefined) await takeOut(trx, at, { rollback, item, rows });
    const older = [...rows.values()].filter(
      (row) => row.phase === "following" && row.target_id === item.targetId && row.id !== item.deliveryId,
    );
    await supersede(trx, at, older, item);
    const undone = rollback?.undoes ?? [];
    await trx
      .updateTable("target")
      .set((set) => ({
        current_id: item.deliveryId,
        // What was healthy once and has been taken out is not what the next rollback goes back to.
        ...(undone.length === 0
          ? {}
          : {
              last_healthy_id: sql<string | null>`case when ${set("last_healthy_id", "in", undone)}
                then ${rollback?.restores ?? null} else last_healthy_id end`,
            }),
        overridden_kind: null,
        overridden_commit: null,
        version: sql<number>`version + 1`,
      }))
      .where("id", "=", item.targetId)
      .execute();
  }
}

/** What a rollback has taken out says so; what of it still followed ends. */
async function takeOut(
  trx: Transaction<Schema>,
  at: Date,
  input: { rollback: Rollback; item: AttemptItem; rows: ReadonlyMap<string, DeliveryRow> },
): Promise<void> {
  const { item } = input;
  const message = `rollback ${item.deliveryId} took it out in ${item.commit}`;
  const undone = input.rollback.undoes.flatMap((id) => input.rows.get(id) ?? []);
  const unmarked = undone.filter((row) => row.reverted_by === null).map((row) => row.id);
  if (unmarked.length > 0) {
    await trx
      .updateTable("delivery")
      .set({ reverted_by: item.commit, version: sql<number>`version + 1`, updated_at: at })
      .where("id", "in", unmarked)
      .execute();
    const data = { rollback: item.deliveryId, commit: item.commit };
    await recordOf(trx, at, unmarked, [{ kind: "rolled-back", message, data }]);
  }
  const followed = undone.filter((row) => row.phase === "following");
  await end(trx, at, followed, { outcome: "overridden", reason: "reverted", message });
  for (const row of followed) row.phase = "done";
}

async function lockConcerned(
  trx: Transaction<Schema>,
  items: readonly AttemptItem[],
  targetIds: readonly string[],
): Promise<Map<string, DeliveryRow>> {
  const ids = items.map((item) => item.deliveryId);
  const undone = trx
    .selectFrom("delivery as rolling_back")
    .select(sql<string>`jsonb_array_elements_text(rolling_back.rollback -> 'undoes')`.as("id"))
    .where("rolling_back.id", "in", ids);
  const rows = await trx
    .selectFrom("delivery")
    .selectAll()
    .where((where) =>
      where.or([
        where("id", "in", ids),
        where("id", "in", undone),
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
      ...(item.images && { images: jsonText(item.images) }),
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
