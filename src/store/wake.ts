import { type RawBuilder, sql, type Transaction } from "kysely";
import type { Schema } from "./schema.ts";
import { wallTime } from "./sql.ts";

/**
 * Makes the deliveries due now. One that is leased is looked at again as soon as its holder saves it. Locks in the
 * order of ids, as every transaction does.
 */
export async function wakeDeliveries(trx: Transaction<Schema>, which: RawBuilder<boolean>): Promise<void> {
  await sql`
    with chosen as (select id from delivery where ${which} order by id for no key update)
    update delivery set due_at = least(due_at, ${wallTime}), woken = true
    from chosen where delivery.id = chosen.id`.execute(trx);
}
