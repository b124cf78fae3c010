import { sql } from "kysely";
import type { IntakePosition } from "../model/intake-position.ts";
import { read, type Sql, statementTime } from "./sql.ts";

/** An unknown stream begins at `since`, or now. Times in milliseconds. */
export async function intakePosition(deps: Sql, stream: string, since?: number): Promise<IntakePosition> {
  const begin = since === undefined ? statementTime : new Date(since);
  const row = await read(deps, async (db) => {
    await db
      .insertInto("intake_position")
      .values({ stream, first: begin, reached: begin })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return await db
      .selectFrom("intake_position")
      .select(["first", "reached"])
      .where("stream", "=", stream)
      .executeTakeFirstOrThrow();
  });
  return { first: row.first.getTime(), reached: row.reached.getTime() };
}

/** Never goes back: another replica may be further. */
export async function intakeReached(deps: Sql, stream: string, at: number): Promise<void> {
  await read(deps, (db) =>
    db
      .updateTable("intake_position")
      .set({ reached: sql<Date>`greatest(reached, ${new Date(at)})` })
      .where("stream", "=", stream)
      .execute(),
  );
}
