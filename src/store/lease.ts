import { type RawBuilder, sql } from "kysely";
import type { Lease } from "../model/work.ts";
import { statementTime } from "./sql.ts";

/** Only for statements that are a transaction of their own. */
export function leaseEnd(lease: Lease): RawBuilder<Date> {
  return sql<Date>`${statementTime} + ${milliseconds(lease.ms)}`;
}

export function milliseconds(ms: number): RawBuilder<unknown> {
  return sql`${Math.round(ms)}::double precision * interval '1 millisecond'`;
}
