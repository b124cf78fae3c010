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
    const targets = await targetsOf(trx, laneId, [...new Set(rows.map((row) => row.target_id))]);
    const targetIds = targets.map((target) => target.id);
    return {
      openAttempts: await openAttempts(trx, laneId),
      ready: await withBuilds(trx, rows),
      targets,
      holds: await holdsOf(trx, targetIds, at),
      now: at.getTime(),
    };
  });
}

async function targetsOf(trx: Transaction<Schema>, laneId: string, ready: readonly string[]): Promise<TargetState[]> {
  const rows = await trx
    .selectFrom("target")
    .selectAll()
    .where((where) =>
      where.or([
        where.exists(
          where
            .selectFrom("delivery")
            .select("delivery.id")
            .whereRef("delivery.id", "=", "target.current_id")
            .where("delivery.lane_id", "=", laneId),
        ),
        ...(ready.length === 0 ? [] : [where("id", "in", ready)]),
      ]),
    )
    .orderBy("id")
    .execute();
  return await statesOf(trx, rows);
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
