import type { Selectable, Transaction } from "kysely";
import type { TargetState } from "../model/reading.ts";
import { withBuilds } from "./deliveries.ts";
import type { Schema, TargetTable } from "./schema.ts";
import { type Queries, read, type Sql, snapshot } from "./sql.ts";

export type TargetRow = Selectable<TargetTable>;

/** Targets that nothing was ever delivered to have no entry. */
export async function targetStates(deps: Sql, ids: readonly string[]): Promise<Map<string, TargetState>> {
  if (ids.length === 0) return new Map();
  return await snapshot(deps, async (trx) => {
    const rows = await trx.selectFrom("target").selectAll().where("id", "in", ids).execute();
    const states = await statesOf(trx, rows);
    return new Map(states.map((state) => [state.id, state]));
  });
}

export async function targetIds(deps: Sql): Promise<string[]> {
  const rows = await read(deps, (db) => db.selectFrom("target").select("id").execute());
  return rows.map(({ id }) => id);
}

/** In the order of the rows. */
export async function statesOf(db: Queries, rows: readonly TargetRow[]): Promise<TargetState[]> {
  const ids = rows.flatMap((row) => (row.current_id === null ? [] : [row.current_id]));
  const deliveries =
    ids.length === 0 ? [] : await db.selectFrom("delivery").selectAll().where("id", "in", ids).execute();
  const withBuild = await withBuilds(db, deliveries);
  const current = new Map(withBuild.map((entry) => [entry.delivery.id, entry]));
  return rows.map((row) => stateOf(row, row.current_id === null ? undefined : current.get(row.current_id)));
}

function stateOf(row: TargetRow, current: TargetState["current"]): TargetState {
  return {
    id: row.id,
    ...(current === undefined ? {} : { current }),
    ...(row.last_healthy_id === null ? {} : { lastHealthyDeliveryId: row.last_healthy_id }),
    ...(row.pinned_by === null ? {} : { pinned: { by: row.pinned_by, why: row.pinned_why ?? "" } }),
    ...(row.overridden_kind === null || row.overridden_commit === null
      ? {}
      : { overridden: { kind: row.overridden_kind, commit: row.overridden_commit } }),
    since: row.since.getTime(),
    version: row.version,
  };
}

/** In the order of ids, the order in which every transaction locks targets. */
export async function lockTargets(trx: Transaction<Schema>, ids: readonly string[]): Promise<Map<string, TargetRow>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom("target")
    .selectAll()
    .where("id", "in", ids)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
