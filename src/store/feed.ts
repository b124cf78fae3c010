import { sql, type Transaction } from "kysely";
import type { DeliveryEvent } from "../model/delivery.ts";
import type { FeedEvent, FeedPage } from "../model/reading.ts";
import { deliveryOf, eventOf } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { never, type Sql, snapshot } from "./sql.ts";

/** How far back a reader that begins now may begin when ids are missing there: some events come again, none is lost. */
const START_WINDOW = 100;

interface Horizon {
  /** Every id up to here is visible or will never be: no transaction that took one is still open. */
  settled: number;
  /** To become settled once all transactions below `xmax` have ended. */
  candidate: { id: number; xmax: bigint } | undefined;
}

interface Moment {
  highest: number;
  xmin: bigint;
  xmax: bigint;
}

/**
 * All deliveries' events in the order of their ids, without ever passing one over. Ids are given out before their
 * transactions commit, so a lower id can become visible after a higher one. Ids without a gap are safe as they are;
 * a gap is passed only when it is proven that nothing will fill it: every transaction that may have taken one of those
 * ids had its own number below `xmax` when a higher id was first seen (see `record`: it has written before, and so has
 * a number), and has ended when the oldest open one (`xmin`) is not below it. A rolled-back transaction leaves such a
 * gap for ever. Only gaps wait for open transactions, so a long one of somebody else does not stop the feed.
 */
export class Feed {
  readonly #sql: Sql;
  #horizon: Horizon = { settled: 0, candidate: undefined };

  constructor(deps: Sql) {
    this.#sql = deps;
  }

  /** Up to `limit` events after this id; without one, or with one that is not ours, only where the feed stands now. */
  async eventsAfter(after: number | undefined, limit: number): Promise<FeedPage> {
    // Taken before the snapshot: what was settled then is complete in it.
    const known = this.#horizon;
    return await snapshot(this.#sql, async (trx) => {
      const moment = await momentOf(trx);
      const settled = provenBy(known, moment);
      this.#learn(moment, settled);
      if (after === undefined || after > moment.highest) {
        return { items: [], last: await startOf(trx, settled, moment.highest) };
      }
      if (after === moment.highest) return { items: [], last: after };
      const items = await eventsFrom(trx, { after, limit, settled });
      return { items, last: items.at(-1)?.id ?? after };
    });
  }

  #learn(moment: Moment, settled: number): void {
    const { highest, xmax } = moment;
    const before = this.#horizon;
    // A restored or promoted database may be behind what we have seen.
    const isBehind = highest < before.settled || (before.candidate?.xmax ?? 0n) > xmax;
    const proven = isBehind ? settled : Math.max(before.settled, settled);
    const candidate = isBehind || (before.candidate?.id ?? 0) <= proven ? undefined : before.candidate;
    this.#horizon = {
      settled: proven,
      candidate: candidate ?? (highest > proven ? { id: highest, xmax } : undefined),
    };
  }
}

function provenBy({ settled, candidate }: Horizon, { highest, xmin, xmax }: Moment): number {
  if (xmin === xmax) return highest;
  if (candidate !== undefined && candidate.id <= highest && xmin >= candidate.xmax) return candidate.id;
  return settled <= highest ? settled : 0;
}

async function momentOf(trx: Transaction<Schema>): Promise<Moment> {
  const { rows } = await sql<{ highest: string; xmin: string; xmax: string }>`
    select coalesce((select max(id) from delivery_event), 0) as highest,
      pg_snapshot_xmin(pg_current_snapshot())::text as xmin, pg_snapshot_xmax(pg_current_snapshot())::text as xmax
  `.execute(trx);
  const row = rows[0] ?? never("a select without a table returned no row");
  return { highest: Number(row.highest), xmin: BigInt(row.xmin), xmax: BigInt(row.xmax) };
}

/** Before the first gap that somebody may still fill, else the highest id. */
async function startOf(trx: Transaction<Schema>, settled: number, highest: number): Promise<number> {
  const from = Math.max(settled, highest - START_WINDOW);
  const rows = await trx
    .selectFrom("delivery_event")
    .select("id")
    .where("id", ">", String(from))
    .orderBy("id")
    .limit(START_WINDOW + 1)
    .execute();
  let last = from;
  for (const { id } of rows) {
    if (Number(id) !== last + 1) break;
    last++;
  }
  return last;
}

async function eventsFrom(
  trx: Transaction<Schema>,
  { after, limit, settled }: { after: number; limit: number; settled: number },
): Promise<FeedEvent[]> {
  const rows = await trx
    .selectFrom("delivery_event")
    .selectAll()
    .where("id", ">", String(after))
    .orderBy("id")
    .limit(limit)
    .execute();
  const events: DeliveryEvent[] = [];
  let last = after;
  for (const event of rows.map(eventOf)) {
    if (event.id !== last + 1 && event.id > settled + 1) break;
    events.push(event);
    last = event.id;
  }
  if (events.length === 0) return [];
  const ids = [...new Set(events.map((event) => event.deliveryId))];
  const found = await trx.selectFrom("delivery").selectAll().where("id", "in", ids).execute();
  const deliveries = new Map(found.map((row) => [row.id, deliveryOf(row)]));
  return events.map((event) => ({
    ...event,
    delivery: deliveries.get(event.deliveryId) ?? never(`delivery ${event.deliveryId} has events but is not stored`),
  }));
}
