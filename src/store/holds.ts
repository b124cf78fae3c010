import { type Selectable, sql, type Transaction } from "kysely";
import type { Hold, NewHold } from "../model/hold.ts";
import { insertTargets } from "./builds.ts";
import { buildsOf } from "./deliveries.ts";
import { holdOf, storable } from "./rows.ts";
import type { HoldTable, Schema, TargetTable } from "./schema.ts";
import { databaseTime, never, type Queries, read, type Sql, transact } from "./sql.ts";
import { lockTargets } from "./targets.ts";
import { wakeDeliveries } from "./wake.ts";

/** In force now, oldest first. */
export async function holds(deps: Sql, targetIds: readonly string[]): Promise<Hold[]> {
  return await read(deps, async (db) => await holdsOf(db, targetIds, await databaseTime(db)));
}

/** In force now at any target, oldest first. */
export async function allHolds(deps: Sql): Promise<Hold[]> {
  return await read(deps, async (db) => withTheirBuilds(db, await inForce(db, await databaseTime(db)).execute()));
}

/** In force at `at`, oldest first. */
export async function holdsOf(db: Queries, targetIds: readonly string[], at: Date): Promise<Hold[]> {
  if (targetIds.length === 0) return [];
  return await withTheirBuilds(db, await inForce(db, at).where("target_id", "in", targetIds).execute());
}

async function withTheirBuilds(db: Queries, rows: readonly Selectable<HoldTable>[]): Promise<Hold[]> {
  const builds = await buildsOf(
    db,
    rows.flatMap((row) => row.build_id ?? []),
  );
  return rows.map((row) => holdOf(row, builds));
}

function inForce(db: Queries, at: Date) {
  return db
    .selectFrom("hold")
    .selectAll()
    .where((where) => where.or([where("until", "is", null), where("until", ">", at)]))
    .orderBy("created_at")
    .orderBy("id");
}

/** Locks the target, as every write to it does: an attempt begins either before the hold or under it. */
export async function createHold(deps: Sql, hold: NewHold): Promise<Hold> {
  const created = await transact(deps, async (trx) => {
    const at = await changeTarget(trx, hold.targetId, {});
    return await insertHolds(trx, at, [hold]);
  });
  deps.changed();
  return created[0] ?? never("an insert gave no row");
}

/** The targets must be locked. */
export async function insertHolds(trx: Transaction<Schema>, at: Date, holds: readonly NewHold[]): Promise<Hold[]> {
  if (holds.length === 0) return [];
  const rows = await trx
    .insertInto("hold")
    .values(
      holds.map((hold) => ({
        id: hold.id,
        target_id: hold.targetId,
        digest: hold.digest ?? null,
        build_id: hold.buildId ?? null,
        by: hold.by,
        why: storable(hold.why),
        until: hold.until === undefined ? null : new Date(hold.until),
        created_at: at,
      })),
    )
    .returningAll()
    .execute();
  return await withTheirBuilds(trx, rows);
}

/** False when there is no such hold. Deliveries that wait at the target are looked at again. */
export async function removeHold(deps: Sql, id: string): Promise<boolean> {
  const removed = await transact(deps, async (trx) => {
    const hold = await trx.selectFrom("hold").select("target_id").where("id", "=", id).executeTakeFirst();
    if (hold === undefined) return false;
    await lockTargets(trx, [hold.target_id]);
    const gone = await trx.deleteFrom("hold").where("id", "=", id).executeTakeFirst();
    if (gone.numDeletedRows === 0n) return false;
    await changeTarget(trx, hold.target_id, {});
    await wakeWaiting(trx, hold.target_id);
    return true;
  });
  if (removed) deps.changed();
  return removed;
}

/** The target stays as it is until released. */
export async function pin(deps: Sql, targetId: string, pinned: { by: string; why: string }): Promise<void> {
  await transact(deps, async (trx) => {
    await changeTarget(trx, targetId, { pinned_by: pinned.by, pinned_why: storable(pinned.why) });
  });
  deps.changed();
}

/** False when it is not pinned. Deliveries that wait at the target are looked at again. */
export async function unpin(deps: Sql, targetId: string): Promise<boolean> {
  const released = await transact(deps, async (trx) => {
    const target = (await lockTargets(trx, [targetId])).get(targetId);
    if (target === undefined || target.pinned_by === null) return false;
    await changeTarget(trx, targetId, { pinned_by: null, pinned_why: null });
    await wakeWaiting(trx, targetId);
    return true;
  });
  if (released) deps.changed();
  return released;
}

/** Writes the target, which need not be there yet, with a new version; gives the time once it is locked. */
export async function changeTarget(
  trx: Transaction<Schema>,
  id: string,
  change: Partial<
    Pick<TargetTable, "current_id" | "pinned_by" | "pinned_why" | "overridden_kind" | "overridden_commit">
  >,
): Promise<Date> {
  await insertTargets(trx, [id], await databaseTime(trx));
  await trx
    .updateTable("target")
    .set({ ...change, version: sql<number>`version + 1` })
    .where("id", "=", id)
    .execute();
  return await databaseTime(trx);
}

async function wakeWaiting(trx: Transaction<Schema>, targetId: string): Promise<void> {
  await wakeDeliveries(trx, sql<boolean>`target_id = ${targetId} and phase = 'waiting'`);
}
