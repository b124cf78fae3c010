import { sql, type Transaction } from "kysely";
import type { Ending, Rollback } from "../model/delivery.ts";
import type { AttemptItem } from "../model/lane.ts";
import { doneEvent, type Entry, record, recordOf } from "./history.ts";
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
  const landing = items.filter(({ deliveryId }) => {
    const phase = rows.get(deliveryId)?.phase;
    return phase === "writing" || (phase === "ready" && kind === "adopted");
  });
  if (landing.length === 0) return;
  await follow(trx, at, landing, kind);
  for (const item of landing) {
    const rollback = rows.get(item.deliveryId)?.rollback ?? undefined;
    if (rollback !== undefined) await takeOut(trx, at, { rollback, item, rows });
  }
  await supersede(trx, at, landing, rows);
  await standAt(trx, landing);
}

/** What landed is what stands at its target from now on. */
async function standAt(trx: Transaction<Schema>, items: readonly AttemptItem[]): Promise<void> {
  const standing = items.map((item) => ({ id: item.targetId, current: item.deliveryId }));
  await sql`
    update target set
      current_id = one.current, overridden_kind = null, overridden_commit = null, version = version + 1
    from jsonb_to_recordset(${JSON.stringify(standing)}::jsonb) as one (id text collate "C", current text)
    where target.id = one.id`.execute(trx);
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
  if (input.rollback.undoes.length === 0) return;
  // What was healthy once and has been taken out is not what the next rollback goes back to.
  await trx
    .updateTable("target")
    .set({ last_healthy_id: input.rollback.restores ?? null })
    .where("id", "=", item.targetId)
    .where("last_healthy_id", "in", input.rollback.undoes)
    .execute();
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
  items: readonly AttemptItem[],
  kind: "landed" | "adopted",
): Promise<void> {
  const values = items.map(({ deliveryId, commit, images, observation }) => ({
    id: deliveryId,
    commit,
    images,
    observation: { ...observation, pushedAt: at.getTime() },
  }));
  await sql`
    update delivery set
      phase = 'following',
      wait_reason = null,
      message = null,
      commit = one.commit,
      images = coalesce(one.images, delivery.images),
      observation = one.observation,
      version = version + 1,
      due_at = ${at},
      lease_owner = null,
      lease_until = null,
      updated_at = ${at}
    from jsonb_to_recordset(${jsonText(values)}::jsonb) as one (
      id text collate "C", commit text, images jsonb, observation jsonb
    )
    where delivery.id = one.id`.execute(trx);
  const told = items.map(({ deliveryId, commit }): Entry => {
    const message = kind === "landed" ? `commit ${commit} is on the branch` : `commit ${commit} holds it already`;
    return { deliveryId, kind, message, data: { commit } };
  });
  await record(trx, at, told);
}

/** What still followed at the items' targets. */
async function supersede(
  trx: Transaction<Schema>,
  at: Date,
  items: readonly AttemptItem[],
  rows: ReadonlyMap<string, DeliveryRow>,
): Promise<void> {
  const newerAt = new Map(items.map((item) => [item.targetId, item]));
  const older = [...rows.values()].flatMap((row) => {
    const newer = newerAt.get(row.target_id);
    if (newer === undefined || row.phase !== "following" || row.id === newer.deliveryId) return [];
    const message = `delivery ${newer.deliveryId} brought commit ${newer.commit}`;
    return [{ row, ending: { outcome: "superseded", message } as const }];
  });
  await endAll(trx, at, older);
}

/** Ends deliveries whose rows are locked. */
export async function end(
  trx: Transaction<Schema>,
  at: Date,
  rows: readonly DeliveryRow[],
  ending: Ending,
): Promise<void> {
  await endAll(
    trx,
    at,
    rows.map((row) => ({ row, ending })),
  );
}

async function endAll(
  trx: Transaction<Schema>,
  at: Date,
  ended: readonly { row: DeliveryRow; ending: Ending }[],
): Promise<void> {
  if (ended.length === 0) return;
  const values = ended.map(({ row, ending: { outcome, reason, message } }) => ({
    id: row.id,
    outcome,
    reason,
    message,
  }));
  await sql`
    update delivery set
      phase = 'done',
      wait_reason = null,
      outcome = one.outcome,
      reason = one.reason,
      message = one.message,
      version = version + 1,
      lease_owner = null,
      lease_until = null,
      updated_at = ${at}
    from jsonb_to_recordset(${jsonText(values)}::jsonb) as one (
      id text collate "C", outcome text, reason text, message text
    )
    where delivery.id = one.id`.execute(trx);
  await record(
    trx,
    at,
    ended.map(({ row, ending }) => ({ deliveryId: row.id, ...doneEvent(ending) })),
  );
}
