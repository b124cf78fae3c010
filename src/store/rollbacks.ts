import type { Transaction } from "kysely";
import type { RollbackInput, RollbackResult } from "../model/rollback.ts";
import { pullBrake } from "./brake.ts";
import { record } from "./history.ts";
import { changeTarget, insertHolds } from "./holds.ts";
import { deliveryOf, jsonText } from "./rows.ts";
import { saveIn } from "./saves.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, plusMs, type Sql, transact } from "./sql.ts";
import { lockTargets } from "./targets.ts";

/**
 * Stores a rollback together with the holds on what it takes out, in one transaction. The target's lock makes it one:
 * of simultaneous calls for one delivery the first begins, the others find it.
 */
export async function rollBack(deps: Sql, input: RollbackInput): Promise<RollbackResult> {
  const result = await transact(deps, (trx) => rollBackIn(trx, input));
  if (result.kind !== "stale") deps.changed();
  return result;
}

async function rollBackIn(trx: Transaction<Schema>, input: RollbackInput): Promise<RollbackResult> {
  const { delivery, rollback, brake, failed } = input;
  const why = brake && (await pullBrake(trx, await databaseTime(trx), brake));
  if (why !== undefined) return { kind: "braked", why };
  const target = (await lockTargets(trx, [delivery.targetId])).get(delivery.targetId);
  const known = await trx
    .selectFrom("delivery")
    .selectAll()
    .where("kind", "=", "rollback")
    .where((where) => where(where.ref("rollback", "->>").key("reverts"), "=", rollback.reverts))
    .where((where) => where.or([where("phase", "<>", "done"), where("commit", "is not", null)]))
    .executeTakeFirst();
  if (known !== undefined) return { kind: "repeat", delivery: deliveryOf(known) };
  if (target?.current_id !== rollback.reverts || target.version !== input.targetVersion) return { kind: "stale" };
  if (failed !== undefined && !(await saveIn(trx, [failed])).includes(true)) return { kind: "stale" };
  const at = await databaseTime(trx);
  const row = await trx
    .insertInto("delivery")
    .values({
      id: delivery.id,
      kind: "rollback",
      build_id: delivery.buildId,
      target_id: delivery.targetId,
      lane_id: delivery.laneId,
      app: delivery.app,
      environment: delivery.environment,
      rollback: jsonText(rollback),
      images: jsonText(delivery.images),
      traceparent: delivery.traceparent ?? null,
      phase: "received",
      due_at: at,
      expire_at: plusMs(at, input.expireAfterMs),
      created_at: at,
      updated_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await changeTarget(trx, delivery.targetId, {});
  await insertHolds(trx, at, input.holds);
  const message = `takes out ${rollback.undoes.join(", ")}: ${rollback.why}`;
  await record(trx, at, [{ deliveryId: delivery.id, kind: "received", message, data: { trigger: rollback.trigger } }]);
  return { kind: "begun", delivery: deliveryOf(row) };
}
