import { type RawBuilder, sql } from "kysely";
import { statementTime } from "./sql.ts";

/** Whose it is, and for how many milliseconds of database time. */
export interface Lease {
  owner: string;
  ms: number;
}

/** Only for statements that are a transaction of their own. */
export function leaseEnd(lease: Lease): RawBuilder<Date> {
  return sql<Date>`${statementTime} + ${milliseconds(lease.ms)}`;
}

export function milliseconds(ms: number): RawBuilder<unknown> {
  return sql`${Math.round(ms)}::double precision * interval '1 millisecond'`;
}
