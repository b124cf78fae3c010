import { sql } from "kysely";
import type { ApplicationRef } from "../model/application.ts";
import type { Build } from "../model/build.ts";
import type { Delivery, Phase } from "../model/delivery.ts";
import type { Lease } from "../model/work.ts";
import { withBuilds } from "./deliveries.ts";
import { leaseEnd } from "./lease.ts";
import { deliveryOf, jsonText } from "./rows.ts";
import { databaseTime, read, type Sql, snapshot, statementTime, transact } from "./sql.ts";
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

/** Of each target what is undone and not yet landed, oldest first. */
export async function pending(
  deps: Sql,
  targetIds: readonly string[],
): Promise<{ delivery: Delivery; build: Build }[][]> {
  return await snapshot(deps, async (trx) => {
    const rows = await trx
      .selectFrom("delivery")
      .selectAll()
      .where("target_id", "in", [...new Set(targetIds)])
      .where("phase", "<>", "done")
      .where("phase", "<>", "following")
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    const byTarget = Map.groupBy(await withBuilds(trx, rows), ({ delivery }) => delivery.targetId);
    return targetIds.map((id) => byTarget.get(id) ?? []);
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
