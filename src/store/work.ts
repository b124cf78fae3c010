import { sql, type Transaction } from "kysely";
import type { ApplicationRef } from "../model/application.ts";
import type { Build } from "../model/build.ts";
import type { Delivery, Phase } from "../model/delivery.ts";
import { GitspanError } from "../model/errors.ts";
import type { DeliveryChange, Lease } from "../model/work.ts";
import { withBuilds } from "./deliveries.ts";
import { doneEvent, recordOf } from "./history.ts";
import { makeLaneDue } from "./lanes.ts";
import { leaseEnd } from "./lease.ts";
import { type DeliveryRow, deliveryOf, jsonText, storable } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, plusMs, read, type Sql, snapshot, statementTime, transact } from "./sql.ts";
import { wakeDeliveries } from "./wake.ts";

/** Database time in milliseconds. */
export async function now(deps: Sql): Promise<number> {
  return (await read(deps, databaseTime)).getTime();
}

/** Longest due first; rows that another claim is just taking are passed over, not waited for. */
export async function claim(deps: Sql, phases: readonly Phase[], limit: number, lease: Lease): Promise<Delivery[]> {
  if (phases.length === 0 || limit < 1) return [];
  const rows = await read(deps, (db) =>
    db
      .with("due", (cte) =>
        cte
          .selectFrom("delivery")
          .select("id")
          .where("phase", "in", phases)
          .where("phase", "<>", "done")
          .where("due_at", "<=", statementTime)
          .where((where) => where.or([where("lease_until", "is", null), where("lease_until", "<=", statementTime)]))
          .orderBy("due_at")
          .orderBy("created_at")
          .orderBy("id")
          .limit(limit)
          .forNoKeyUpdate()
          .skipLocked(),
      )
      .updateTable("delivery")
      .from("due")
      .whereRef("delivery.id", "=", "due.id")
      .set({
        lease_owner: lease.owner,
        lease_until: leaseEnd(lease),
        woken: false,
      })
      .returningAll("delivery")
      .execute(),
  );
  return rows.map(deliveryOf).sort((a, b) => a.dueAt - b.dueAt || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

/**
 * False when the version is not the one that was read, and for a delivery that is being written (only its attempt's
 * end may move it) or done (an outcome never changes). Leaving a phase clears its wait reason and message.
 */
export async function save(deps: Sql, read: { id: string; version: number }, change: DeliveryChange): Promise<boolean> {
  if (change.ending === undefined && (change.phase === "done" || change.phase === "writing")) {
    throw new GitspanError("internal", `a delivery does not become ${change.phase} by being saved`);
  }
  const saved = await transact(deps, (trx) => saveIn(trx, read, change));
  if (saved) deps.changed();
  return saved;
}

/** `save` inside a transaction. */
export async function saveIn(
  trx: Transaction<Schema>,
  known: { id: string; version: number },
  change: DeliveryChange,
): Promise<boolean> {
  const { ending } = change;
  const current = await trx.selectFrom("delivery").selectAll().where("id", "=", known.id).executeTakeFirst();
  if (current === undefined || current.version !== known.version) return false;
  if (current.phase === "writing" || current.phase === "done") return false;
  const becomesReady = ending === undefined && change.phase === "ready" && current.phase !== "ready";
  if (becomesReady) await makeLaneDue(trx, current.lane_id);
  if (ending?.outcome === "healthy") await lockTarget(trx, current.target_id);
  const at = await databaseTime(trx);
  const updated = await trx
    .updateTable("delivery")
    .set(changedColumns(current, change, at))
    .where("id", "=", known.id)
    .where("version", "=", known.version)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) return false;
  if (ending?.outcome === "healthy") {
    await trx
      .updateTable("target")
      .set({ last_healthy_id: known.id, version: sql<number>`version + 1` })
      .where("id", "=", current.target_id)
      .execute();
  }
  const events = [...(change.events ?? []), ...(ending === undefined ? [] : [doneEvent(ending)])];
  await recordOf(trx, at, [known.id], events);
  return true;
}

async function lockTarget(trx: Transaction<Schema>, id: string): Promise<void> {
  await trx.selectFrom("target").select("id").where("id", "=", id).forNoKeyUpdate().execute();
}

function changedColumns(current: DeliveryRow, change: DeliveryChange, at: Date) {
  const { ending, dueInMs, observation, trust } = change;
  const phase = ending === undefined ? change.phase : "done";
  const left = phase !== current.phase;
  const message = ending?.message ?? change.message;
  return {
    phase,
    wait_reason: phase === "waiting" ? (change.waitReason ?? current.wait_reason) : null,
    message: message === undefined ? (left ? null : current.message) : storable(message),
    ...(ending === undefined ? {} : { outcome: ending.outcome, reason: ending.reason ?? null }),
    ...(observation === undefined ? {} : { observation: jsonText(observation) }),
    ...(trust === undefined ? {} : { trust: jsonText(trust) }),
    ...(dueInMs === undefined
      ? {}
      : { due_at: sql<Date>`case when woken then ${at}::timestamptz else ${plusMs(at, dueInMs)}::timestamptz end` }),
    version: current.version + 1,
    lease_owner: null,
    lease_until: null,
    woken: false,
    updated_at: at,
  };
}

/** Undone and not yet landed, oldest first. */
export async function pending(deps: Sql, targetId: string): Promise<{ delivery: Delivery; build: Build }[]> {
  return await snapshot(deps, async (trx) => {
    const rows = await trx
      .selectFrom("delivery")
      .selectAll()
      .where("target_id", "=", targetId)
      .where("phase", "<>", "done")
      .where("phase", "<>", "following")
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    return await withBuilds(trx, rows);
  });
}

/** Brings forward what follows this Application. */
export async function expedite(deps: Sql, application: ApplicationRef): Promise<void> {
  const { cluster, namespace, name } = application;
  const pattern = jsonText([{ ref: { cluster, namespace, name } }]);
  const watches = sql<boolean>`phase = 'following' and observation -> 'applications' @> ${pattern}::jsonb`;
  await transact(deps, (trx) => wakeDeliveries(trx, watches));
  deps.changed();
}
