import { sql, type Transaction } from "kysely";
import type { LaneClaim } from "../model/lane.ts";
import type { Lease } from "../model/work.ts";
import { leaseEnd, milliseconds } from "./lease.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Queries, read, type Sql, statementTime, transact, wallTime } from "./sql.ts";

/**
 * A lane is free when nobody leases it and something is due, or when its lease has run out: whoever held it died or
 * stalled before it said what is left to do. Claiming consumes the due time, so whatever becomes ready afterwards
 * sets it again and is not lost when the lane is released.
 */
export async function claimLane(deps: Sql, lease: Lease): Promise<LaneClaim | undefined> {
  const row = await read(deps, (db) =>
    db
      .with("free", (cte) =>
        cte
          .selectFrom("lane")
          .select("id")
          .where((where) =>
            where.or([
              where("lease_until", "<=", statementTime),
              where.and([where("lease_until", "is", null), where("due_at", "<=", statementTime)]),
            ]),
          )
          .orderBy(sql`coalesce(due_at, lease_until)`)
          .orderBy("id")
          .limit(1)
          .forNoKeyUpdate()
          .skipLocked(),
      )
      .updateTable("lane")
      .from("free")
      .whereRef("lane.id", "=", "free.id")
      .set({
        epoch: sql<number>`case when owner is not distinct from ${lease.owner} then epoch else epoch + 1 end`,
        owner: lease.owner,
        lease_until: leaseEnd(lease),
        due_at: null,
      })
      .returningAll("lane")
      .executeTakeFirst(),
  );
  if (row === undefined) return undefined;
  const { id, repository, branch, epoch, last_seen_tip: lastSeenTip } = row;
  return { lane: { id, repository, branch }, epoch, ...(lastSeenTip === null ? {} : { lastSeenTip }) };
}

/** Also after the lease has run out, as long as nobody else has taken the lane. */
export async function renewLane(deps: Sql, claim: LaneClaim, lease: Lease): Promise<boolean> {
  const result = await read(deps, (db) =>
    db
      .updateTable("lane")
      .set({ lease_until: leaseEnd(lease) })
      .where("id", "=", claim.lane.id)
      .where("epoch", "=", claim.epoch)
      .where("owner", "=", lease.owner)
      .where("lease_until", "is not", null)
      .executeTakeFirst(),
  );
  return result.numUpdatedRows > 0n;
}

/** An open attempt keeps the lane due at once when no other time is given: it must be resolved by somebody. */
export async function releaseLane(deps: Sql, claim: LaneClaim, dueInMs: number | undefined): Promise<void> {
  await transact(deps, async (trx) => {
    const open = trx
      .selectFrom("push_attempt")
      .select("id")
      .where("lane_id", "=", claim.lane.id)
      .where("outcome", "=", "open");
    const wanted =
      dueInMs === undefined
        ? sql<Date>`case when exists ${open} then ${wallTime} end`
        : sql<Date>`${wallTime} + ${milliseconds(dueInMs)}`;
    await trx
      .updateTable("lane")
      .set({ lease_until: null, due_at: sql<Date>`least(due_at, ${wanted})` })
      .where("id", "=", claim.lane.id)
      .where("epoch", "=", claim.epoch)
      .execute();
  });
  deps.changed();
}

/** Nothing happens for a lane that no delivery ever came to. */
export async function wakeLane(deps: Sql, laneId: string): Promise<void> {
  await read(deps, (db) => makeLanesDue(db, [laneId]));
  deps.changed();
}

/** Locks them in the order of their ids, as every transaction does. */
export async function makeLanesDue(db: Queries, laneIds: readonly string[]): Promise<void> {
  for (const id of [...new Set(laneIds)].sort()) {
    await db
      .updateTable("lane")
      .set({ due_at: sql<Date>`least(due_at, ${wallTime})` })
      .where("id", "=", id)
      .execute();
  }
}

/** Locks the lane's row. False when the claim is no longer good: another epoch, released, or the lease has run out. */
export async function lockClaimedLane(trx: Transaction<Schema>, claim: LaneClaim): Promise<boolean> {
  const row = await lockLane(trx, claim.lane.id);
  if (row === undefined || row.epoch !== claim.epoch || row.lease_until === null) return false;
  return row.lease_until > (await databaseTime(trx));
}

/** The branch is known up to this commit. The lane has to be locked. */
export async function knowTip(trx: Transaction<Schema>, { lane }: LaneClaim, tip: string): Promise<void> {
  await trx.updateTable("lane").set({ last_seen_tip: tip }).where("id", "=", lane.id).execute();
}

/** Every change of a lane's attempts holds this lock. */
export async function lockLane(trx: Transaction<Schema>, id: string) {
  return await trx
    .selectFrom("lane")
    .select(["epoch", "lease_until"])
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}
