import type { Ending, NewEvent } from "../model/delivery.ts";
import { jsonText, storable } from "./rows.ts";
import type { Queries } from "./sql.ts";

export interface Entry extends NewEvent {
  deliveryId: string;
}

/**
 * Appends to the history, in the order given. The transaction must have written or locked something before: the feed
 * relies on a transaction having its number before it takes ids (feed.ts).
 */
export async function record(db: Queries, at: Date, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    delivery_id: entry.deliveryId,
    at,
    kind: entry.kind,
    message: storable(entry.message),
    data: entry.data === undefined ? null : jsonText(entry.data),
  }));
  await db.insertInto("delivery_event").values(rows).execute();
}

/** The same events for each of the deliveries. */
export async function recordOf(
  db: Queries,
  at: Date,
  deliveryIds: readonly string[],
  events: readonly NewEvent[],
): Promise<void> {
  const entries = deliveryIds.flatMap((deliveryId) =>
    events.map(({ kind, message, data }): Entry => ({ deliveryId, kind, message, ...(data && { data }) })),
  );
  await record(db, at, entries);
}

export function doneEvent(ending: Ending): NewEvent {
  const { outcome, reason, message } = ending;
  return { kind: "done", message, data: reason === undefined ? { outcome } : { outcome, reason } };
}
