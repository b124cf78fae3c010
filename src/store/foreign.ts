import { sql, type Transaction } from "kysely";
import type { Ending } from "../model/delivery.ts";
import type { Foreign, LaneClaim } from "../model/lane.ts";
import { lockDeliveries } from "./deliveries.ts";
import { type Entry, record } from "./history.ts";
import { end } from "./landing.ts";
import { lockLane } from "./lanes.ts";
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
    await trx.updateTable("lane").set({ last_seen_tip: tip }).where("id", "=", claim.lane.id).execute();
    await lockTargets(trx, [...new Set(foreign.map((one) => one.targetId))].sort());
    const rows = await lockDeliveries(
      trx,
      foreign.map((one) => one.deliveryId),
    );
    const at = await databaseTime(trx);
    for (const one of foreign) {
      const row = rows.get(one.deliveryId);
      if (row === undefined || row.reverted_by === one.commit) continue;
      await storeForeign(trx, at, one, row);
    }
    return true;
  });
  if (done && foreign.length > 0) deps.changed();
  return done;
}

async function storeForeign(trx: Transaction<Schema>, at: Date, one: Foreign, row: DeliveryRow): Promise<void> {
  const message = storable(one.message);
  await trx
    .updateTable("delivery")
    .set({ reverted_by: one.commit, version: sql<number>`version + 1`, updated_at: at })
    .where("id", "=", row.id)
    .execute();
  row.reverted_by = one.commit;
  const entry: Entry = { deliveryId: row.id, kind: one.kind, message, data: { commit: one.commit } };
  await record(trx, at, [entry]);
  if (row.phase === "following") {
    const ending: Ending = { outcome: "overridden", reason: one.kind, message };
    await end(trx, at, [row], ending);
    row.phase = "done";
  }
  await trx
    .updateTable("target")
    .set({
      overridden_kind: one.kind,
      overridden_commit: one.commit,
      version: sql<number>`version + 1`,
      ...(one.kind === "reverted" ? { pinned_by: "git", pinned_why: message } : {}),
    })
    .where("id", "=", one.targetId)
    .execute();
}
