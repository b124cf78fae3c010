import { sql, type Transaction } from "kysely";
import type { ApplicationRef } from "../model/application.ts";
import type { Brake, BrakeRule } from "../model/rollback.ts";
import { storable } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { plusMs, type Queries, read, type Sql, statementTime } from "./sql.ts";

/** In force now. */
export async function brakes(deps: Sql): Promise<Brake[]> {
  const rows = await read(deps, (db) =>
    db.selectFrom("rollback_brake").selectAll().where("until", ">", statementTime).orderBy("cluster").execute(),
  );
  return rows.map(({ cluster, why, until }) => ({ cluster, why, until: until.getTime() }));
}

/**
 * Why no automatic rollback may fire now, if so; then the brake is pulled, or pulled again. Holds the clusters' rows
 * until the transaction ends, so that simultaneous rollbacks are counted one after another.
 */
export async function pullBrake(trx: Transaction<Schema>, at: Date, rule: BrakeRule): Promise<string | undefined> {
  const clusters = [...new Set(rule.clusters)].sort();
  if (clusters.length === 0) return undefined;
  await trx
    .insertInto("rollback_brake")
    .values(clusters.map((cluster) => ({ cluster, why: "", until: new Date(0) })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const rows = await trx
    .selectFrom("rollback_brake")
    .selectAll()
    .where("cluster", "in", clusters)
    .orderBy("cluster")
    .forNoKeyUpdate()
    .execute();
  for (const { cluster, why: before, until } of rows) {
    const pulled = until > at ? before : undefined;
    const why = pulled ?? rule.because ?? (await tooMany(trx, at, { cluster, rule }));
    if (why === undefined) continue;
    await trx
      .updateTable("rollback_brake")
      .set({ why: storable(why), until: plusMs(at, rule.withinMs) })
      .where("cluster", "=", cluster)
      .execute();
    return why;
  }
  return undefined;
}

async function tooMany(
  trx: Transaction<Schema>,
  at: Date,
  { cluster, rule }: { cluster: string; rule: BrakeRule },
): Promise<string | undefined> {
  const { count } = await trx
    .selectFrom("delivery")
    .select((select) => select.fn.countAll<string>().as("count"))
    .where("kind", "=", "rollback")
    .where("created_at", ">", plusMs(at, -rule.withinMs))
    .where(sql<boolean>`rollback ->> 'trigger' = 'automatic' and rollback -> 'clusters' ? ${cluster}`)
    .executeTakeFirstOrThrow();
  if (Number(count) < rule.atMost) return undefined;
  return `${count} automatic rollbacks within ${rule.withinMs / 60_000} minutes on Argo CD ${cluster}`;
}

/** Applications of what landed, or was still followed, within the last `withinMs`. */
export async function touched(deps: Sql, withinMs: number): Promise<ApplicationRef[]> {
  return await read(deps, async (db: Queries) => {
    const rows = await db
      .selectFrom("delivery")
      .select("observation")
      .where("commit", "is not", null)
      .where((where) =>
        where.or([
          where("phase", "=", "following"),
          where("updated_at", ">", sql<Date>`now() - ${withinMs} * interval '1 millisecond'`),
        ]),
      )
      .execute();
    return rows.flatMap(({ observation }) => observation?.applications.map(({ ref }) => ref) ?? []);
  });
}
