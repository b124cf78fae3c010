import { sql, type Transaction } from "kysely";
import type { Build } from "../model/build.ts";
import type { Delivery, DeliveryEvent } from "../model/delivery.ts";
import type { DeliveryFilter, Page } from "../model/reading.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { buildOf, type DeliveryRow, deliveryOf, eventOf, jsonText } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { never, type Queries, read, type Sql, snapshot } from "./sql.ts";

export async function delivery(deps: Sql, id: string): Promise<Delivery | undefined> {
  const row = await read(deps, (db) => db.selectFrom("delivery").selectAll().where("id", "=", id).executeTakeFirst());
  return row === undefined ? undefined : deliveryOf(row);
}

/** Newest first. Throws `bad-request` for a cursor that it did not give. */
export async function deliveries(deps: Sql, filter: DeliveryFilter): Promise<Page<Delivery>> {
  const limit = Math.max(1, Math.floor(filter.limit));
  const rows = await read(deps, (db) =>
    filtered(db, filter)
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(limit + 1)
      .execute(),
  );
  const items = rows.slice(0, limit).map(deliveryOf);
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, next: formatCursor(last) } : { items };
}

function filtered(db: Queries, filter: DeliveryFilter) {
  let query = db.selectFrom("delivery").selectAll();
  if (filter.app !== undefined) query = query.where("app", "=", filter.app);
  if (filter.environment !== undefined) query = query.where("environment", "=", filter.environment);
  if (filter.outcome !== undefined) query = query.where("outcome", "=", filter.outcome);
  if (filter.phase !== undefined) query = query.where("phase", "=", filter.phase);
  if (filter.commit !== undefined) query = query.where("commit", "=", filter.commit);
  if (filter.buildId !== undefined) query = query.where("build_id", "=", filter.buildId);
  const { image, cursor } = filter;
  if (image !== undefined) {
    query = query.where((where) =>
      where.or(
        ["repository", "tag", "digest"].map((key) => sql<boolean>`images @> ${jsonText([{ [key]: image }])}::jsonb`),
      ),
    );
  }
  if (cursor !== undefined) {
    const { createdAt, id } = parseCursor(cursor);
    query = query.where(sql<boolean>`(created_at, id) < (${new Date(createdAt)}::timestamptz, ${id})`);
  }
  return query;
}

/** Oldest first. */
export async function events(deps: Sql, deliveryId: string): Promise<DeliveryEvent[]> {
  const rows = await read(deps, (db) =>
    db.selectFrom("delivery_event").selectAll().where("delivery_id", "=", deliveryId).orderBy("id").execute(),
  );
  return rows.map(eventOf);
}

/** The deliveries, in the order given, each with its build. */
export async function withBuilds(
  db: Queries,
  rows: readonly DeliveryRow[],
): Promise<{ delivery: Delivery; build: Build }[]> {
  const builds = await buildsOf(
    db,
    rows.map((row) => row.build_id),
  );
  return rows.map((row) => ({
    delivery: deliveryOf(row),
    build: builds.get(row.build_id) ?? never(`build ${row.build_id} of delivery ${row.id} is not stored`),
  }));
}

/** What landed at the target, newest landing first. */
export async function written(
  deps: Sql,
  targetId: string,
  limit: number,
): Promise<{ delivery: Delivery; build: Build }[]> {
  return await snapshot(deps, async (trx) => {
    const rows = await trx
      .selectFrom("delivery")
      .selectAll()
      .where("target_id", "=", targetId)
      .where("commit", "is not", null)
      .orderBy(sql`observation -> 'pushedAt'`, "desc")
      .orderBy("id", "desc")
      .limit(limit)
      .execute();
    return await withBuilds(trx, rows);
  });
}

export async function buildsOf(db: Queries, ids: readonly string[]): Promise<Map<string, Build>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("build")
    .selectAll()
    .where("id", "in", [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, buildOf(row)]));
}

/** In the order of ids, the order in which every transaction locks deliveries, and after their targets. */
export async function lockDeliveries(
  trx: Transaction<Schema>,
  ids: readonly string[],
): Promise<Map<string, DeliveryRow>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom("delivery")
    .selectAll()
    .where("id", "in", ids)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
