import { sql, type Transaction } from "kysely";
import type { Foreign, LaneClaim } from "../model/lane.ts";
import { lockDeliveries } from "./deliveries.ts";
import { type Entry, record } from "./history.ts";
import { changeTarget, insertHolds } from "./holds.ts";
import { end } from "./landing.ts";
import { knowTip, lockLane } from "./lanes.ts";
import { type DeliveryRow, storable } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Sql, transact } from "./sql.ts";
import { lockTargets } from "./targets.ts";

/**
 * Stores what others did and the tip up to which the branch is known, in one transaction; false, and nothing stored,
 * when another owner has taken the lane. Told of the same commit again, a delivery is left as it is: a pin that was
 * released meanwhile does not come back.
 */
export async function examined(
  deps: Sql,
  claim: LaneClaim,
  tip: string,
  foreign: readonly Foreign[],
): Promise<boolean> {
  const done = await transact(deps, async (trx) => {
    const lane = await lockLane(trx, claim.lane.id);
    if (lane?.epoch !== claim.epoch) return false;
    await knowTip(trx, claim, tip);
    const targets = await lockTargets(trx, [...new Set(foreign.map((one) => one.targetId))].sort());
    const rows = await lockDeliveries(
      trx,
      foreign.flatMap((one) => [one.deliveryId, ...(one.also ?? []).map(({ deliveryId }) => deliveryId)]),
    );
    const at = await databaseTime(trx);
    for (const one of foreign) {
      const row = rows.get(one.deliveryId);
      if (row === undefined) continue;
      if (one.kind === "restored") {
        if (targets.get(one.targetId)?.overridden_kind !== null) await storeRestored(trx, at, one);
      } else if (row.reverted_by !== one.commit) await storeForeign(trx, at, one, rows);
    }
    return true;
  });
  if (done && foreign.length > 0) deps.changed();
  return done;
}

/** Our value stands again; a pin stays, for whoever released it decides. */
async function storeRestored(trx: Transaction<Schema>, at: Date, one: Foreign): Promise<void> {
  await markReverted(trx, at, one.deliveryId, null);
  await record(trx, at, [entryOf(one)]);
  await changeTarget(trx, one.targetId, { overridden_kind: null, overridden_commit: null });
}

async function storeForeign(
  trx: Transaction<Schema>,
  at: Date,
  one: Foreign,
  rows: ReadonlyMap<string, DeliveryRow>,
): Promise<void> {
  const message = storable(one.message);
  for (const { deliveryId, commit } of [...(one.also ?? []), one]) {
    const row = rows.get(deliveryId);
    if (row === undefined || row.reverted_by === commit) continue;
    await markReverted(trx, at, deliveryId, commit);
    row.reverted_by = commit;
    await record(trx, at, [entryOf({ ...one, deliveryId, commit })]);
    if (row.phase !== "following") continue;
    await end(trx, at, [row], {
      outcome: "overridden",
      reason: one.kind === "changed" ? "changed" : "reverted",
      message,
    });
    row.phase = "done";
  }
  if (one.kind === "reverted") await forgetHealthy(trx, one.targetId);
  const pins = one.kind === "reverted" && one.holds === undefined;
  await insertHolds(trx, at, one.holds ?? []);
  await changeTarget(trx, one.targetId, {
    overridden_kind: one.kind === "changed" ? "changed" : "reverted",
    overridden_commit: one.commit,
    ...(pins ? { pinned_by: "git", pinned_why: message } : {}),
  });
}

/** What a person took out is not what a rollback goes back to. */
async function forgetHealthy(trx: Transaction<Schema>, targetId: string): Promise<void> {
  const healthy = trx
    .selectFrom("delivery")
    .select("id")
    .where("target_id", "=", targetId)
    .where("outcome", "=", "healthy")
    .where("reverted_by", "is", null)
    .where("commit", "is not", null)
    .orderBy(sql`observation -> 'pushedAt'`, "desc")
    .orderBy("id", "desc")
    .limit(1);
  const isReverted = sql<boolean>`exists (select 1 from delivery where id = last_healthy_id and reverted_by is not null)`;
  await trx
    .updateTable("target")
    .set({ last_healthy_id: healthy })
    .where("id", "=", targetId)
    .where(isReverted)
    .execute();
}

async function markReverted(trx: Transaction<Schema>, at: Date, id: string, commit: string | null): Promise<void> {
  await trx
    .updateTable("delivery")
    .set({ reverted_by: commit, version: sql<number>`version + 1`, updated_at: at })
    .where("id", "=", id)
    .execute();
}

function entryOf({ deliveryId, kind, message, commit }: Foreign): Entry {
  return { deliveryId, kind, message, data: { commit } };
}
