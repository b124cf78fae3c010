import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import { asStoreCall, isConflict } from "./failures.ts";
import type { Schema } from "./schema.ts";

/** What every query function is given. */
export interface Sql {
  db: Kysely<Schema>;
  /** Tells everybody who waits that something was committed; never fails and is not waited for. */
  changed(): void;
}

export type Queries = Kysely<Schema> | Transaction<Schema>;

const MAX_RUNS = 5;

/** The statement's time. Only for statements that are a transaction of their own; usable in an index condition. */
export const statementTime: RawBuilder<Date> = sql<Date>`date_trunc('milliseconds', now())`;

/** The time now, whenever the transaction began: it may have waited for locks since. */
export const wallTime: RawBuilder<Date> = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;

/** Reads without a transaction of several statements. */
export async function read<T>(deps: Sql, work: (db: Queries) => Promise<T>): Promise<T> {
  return await asStoreCall(() => work(deps.db));
}

/**
 * One transaction, run again when it was the loser of a deadlock. Everything locks in this order: idempotency key,
 * build, lane, targets by id, deliveries by id; so deadlocks are not expected.
 */
export async function transact<T>(deps: Sql, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  return await asStoreCall(async () => {
    for (let run = 1; ; run++) {
      try {
        return await deps.db.transaction().setIsolationLevel("read committed").execute(work);
      } catch (error) {
        if (run >= MAX_RUNS || !isConflict(error)) throw error;
      }
    }
  });
}

/** Several readings of one moment. */
export async function snapshot<T>(deps: Sql, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  return await asStoreCall(() =>
    deps.db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(work),
  );
}

/** Database time as a value, for several statements that must agree on it; take it after the locks. */
export async function databaseTime(db: Queries): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`select ${wallTime} as at`.execute(db);
  return rows[0]?.at ?? never("a select without a table returned no row");
}

export function plusMs(at: Date, ms: number): Date {
  return new Date(at.getTime() + Math.round(ms));
}

export function never(what: string): never {
  throw new Error(what);
}
