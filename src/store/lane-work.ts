import type { Transaction } from "kysely";
import type { Attempt, LaneClaim, LaneWork } from "../model/lane.ts";
import type { TargetState } from "../model/reading.ts";
import { withBuilds } from "./deliveries.ts";
import { holdsOf } from "./holds.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Sql, snapshot } from "./sql.ts";
import { statesOf } from "./targets.ts";

/** Everything a lane's planner needs, as it was at one moment. */
export async function laneWork(deps: Sql, claim: LaneClaim): Promise<LaneWork> {
  const laneId = claim.lane.id;
  return await snapshot(deps, async (trx) => {
    const at = await databaseTime(trx);
    const rows = await trx
      .selectFrom("delivery")
      .selectAll()
      .where("lane_id", "=", laneId)
      .where("phase", "in", ["ready", "writing"])
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    const targetIds = [...new Set(rows.map((row) => row.target_id))];
    return {
      openAttempts: await openAttempts(trx, laneId),
      ready: await withBuilds(trx, rows),
      targets: await targetsOf(trx, targetIds),
      holds: await holdsOf(trx, targetIds, at),
      now: at.getTime(),
    };
  });
}

/** Targets at which a delivery of this lane is what stands, in the order of their ids. */
export async function standing(deps: Sql, { lane }: LaneClaim): Promise<TargetState[]> {
  return await snapshot(deps, async (trx) => {
    const rows = await trx
      .selectFrom("target")
      .selectAll()
      .where((where) =>
        where.exists(
          where
            .selectFrom("delivery")
            .select("delivery.id")
            .whereRef("delivery.id", "=", "target.current_id")
            .where("delivery.lane_id", "=", lane.id),
        ),
      )
      .orderBy("id")
      .execute();
    return await statesOf(trx, rows);
  });
}

async function targetsOf(trx: Transaction<Schema>, ids: readonly string[]): Promise<TargetState[]> {
  if (ids.length === 0) return [];
  return await statesOf(trx, await trx.selectFrom("target").selectAll().where("id", "in", ids).orderBy("id").execute());
}

/** Oldest first. */
async function openAttempts(trx: Transaction<Schema>, laneId: string): Promise<Attempt[]> {
  const rows = await trx
    .selectFrom("push_attempt")
    .selectAll()
    .where("lane_id", "=", laneId)
    .where("outcome", "=", "open")
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(({ id, epoch, base, head, items, created_at: createdAt }) => ({
    id,
    laneId,
    epoch,
    base,
    head,
    items,
    createdAt: createdAt.getTime(),
  }));
}
