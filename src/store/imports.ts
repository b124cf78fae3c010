import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import type { Ending } from "../model/delivery.ts";
import type { ImportedDelivery, ImportedTarget } from "../model/import.ts";
import type { LaneClaim } from "../model/lane.ts";
import { doneEvent, recordOf } from "./history.ts";
import { changeTarget, insertHolds } from "./holds.ts";
import { lockClaimedLane } from "./lanes.ts";
import { jsonText, storable } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Sql, transact } from "./sql.ts";
import { lockTargets } from "./targets.ts";

/** Nobody knows how it went on: what became of it is not in Git. */
const ENDING: Ending = {
  outcome: "cancelled",
  reason: "closed",
  message: "read from the history of the branch; what became of it is not known here",
};

/** All of it in one transaction, or none. */
export async function imported(deps: Sql, claim: LaneClaim, input: ImportedTarget): Promise<boolean> {
  const stored = await transact(deps, async (trx) => {
    if (!(await lockClaimedLane(trx, claim))) return false;
    const target = (await lockTargets(trx, [input.targetId])).get(input.targetId);
    if (target?.version !== input.targetVersion || target.current_id !== null) return false;
    const at = await databaseTime(trx);
    for (const delivery of input.deliveries.toReversed()) await insertDelivery(trx, at, { input, delivery });
    const [newest] = input.deliveries;
    const { overridden, pin } = input;
    await changeTarget(trx, input.targetId, {
      ...(newest === undefined ? {} : { current_id: newest.id }),
      overridden_kind: overridden?.kind ?? null,
      overridden_commit: overridden?.commit ?? null,
      ...(pin === undefined ? {} : { pinned_by: pin.by, pinned_why: storable(pin.why) }),
    });
    await insertHolds(trx, at, input.holds);
    return true;
  });
  if (stored) deps.changed();
  return stored;
}

async function insertDelivery(
  trx: Transaction<Schema>,
  at: Date,
  { input, delivery }: { input: ImportedTarget; delivery: ImportedDelivery },
): Promise<void> {
  const { build, rollback } = delivery;
  const { artifacts, source, run } = build.report;
  const committedAt = new Date(delivery.observation.pushedAt);
  await trx
    .insertInto("build")
    .values({
      id: build.id,
      // No report has it: whoever reports the build again is heard, and its order decides.
      identity: createHash("sha256").update(`imported ${build.id}`).digest("hex"),
      subject: "git",
      subject_groups: jsonText([]),
      artifacts: jsonText(artifacts),
      source: jsonText(source),
      run: run === undefined ? null : jsonText(run),
      traceparent: null,
      created_at: committedAt,
    })
    .execute();
  const inserted = await trx
    .insertInto("delivery")
    .values({
      id: delivery.id,
      kind: delivery.kind,
      build_id: build.id,
      target_id: input.targetId,
      lane_id: input.lane.id,
      app: input.app,
      environment: input.environment,
      rollback: rollback === undefined ? null : jsonText(rollback),
      images: jsonText(delivery.images),
      phase: "done",
      outcome: ENDING.outcome,
      reason: ENDING.reason ?? null,
      message: ENDING.message,
      commit: delivery.commit,
      observation: jsonText(delivery.observation),
      reverted_by: delivery.revertedBy ?? null,
      due_at: at,
      expire_at: at,
      created_at: committedAt,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted === undefined) return;
  const landed = { kind: "imported", message: `commit ${delivery.commit} names it`, data: { commit: delivery.commit } };
  await recordOf(trx, at, [delivery.id], [landed, doneEvent(ENDING)]);
}
