import { sql } from "kysely";
import type { DeliveryCount } from "../model/reading.ts";
import { read, type Sql, wallTime } from "./sql.ts";

/** Two readings, so that each has an index to itself: the undone ones are few, the done ones are counted by outcome. */
export async function countDeliveries(deps: Sql): Promise<DeliveryCount[]> {
  return await read(deps, async (db) => {
    const undone = await db
      .selectFrom("delivery")
      .select((select) => [
        "phase",
        select.fn.countAll<string>().as("count"),
        sql<Date>`min(created_at)`.as("oldest"),
        wallTime.as("now"),
      ])
      .where("phase", "<>", "done")
      .groupBy("phase")
      .execute();
    const done = await db
      .selectFrom("delivery")
      .select((select) => [select.ref("outcome").$notNull().as("outcome"), select.fn.countAll<string>().as("count")])
      .where("outcome", "is not", null)
      .groupBy("outcome")
      .execute();
    return [
      ...undone.map(({ phase, count, oldest, now }) => ({
        phase,
        count: Number(count),
        oldestMs: Math.max(0, now.getTime() - oldest.getTime()),
      })),
      ...done.map(({ outcome, count }) => ({ phase: "done" as const, outcome, count: Number(count) })),
    ];
  });
}
