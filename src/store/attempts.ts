import type { ExpressionBuilder, Transaction } from "kysely";
import type { AttemptInput, AttemptItem, AttemptResult } from "../model/lane.ts";
import { checkItems, type GuardedItem } from "./attempt-checks.ts";
import { type Entry, record } from "./history.ts";
import { land } from "./landing.ts";
import { knowTip, lockClaimedLane, lockLane } from "./lanes.ts";
import { jsonText } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Sql, transact } from "./sql.ts";

/** Step 5 of the lane's protocol: all checks and all writes of it in one transaction, or none. */
export async function beginAttempt(deps: Sql, input: AttemptInput): Promise<AttemptResult> {
  return await guarded(deps, input, async (trx, at) => {
    await trx
      .insertInto("push_attempt")
      .values({
        id: input.id,
        lane_id: input.claim.lane.id,
        epoch: input.claim.epoch,
        base: input.base,
        head: input.head,
        items: jsonText(input.items.map(itemOf)),
        config_hash: input.configHash,
        created_at: at,
      })
      .execute();
    const ids = input.items.map((item) => item.deliveryId);
    await trx
      .updateTable("delivery")
      .set((set) => ({ phase: "writing" as const, message: null, ...moved(set, at) }))
      .where("id", "in", ids)
      .execute();
    const entries = input.items.flatMap((item) => [
      ...warningsOf(item),
      {
        deliveryId: item.deliveryId,
        kind: "writing",
        message: `commit ${item.commit} is being pushed`,
        data: { attempt: input.id, base: input.base, commit: item.commit },
      },
    ]);
    await record(trx, at, entries);
  });
}

/** The same checks as `beginAttempt`, then the deliveries follow commits that are on the branch already. */
export async function adopt(deps: Sql, input: Omit<AttemptInput, "head">): Promise<AttemptResult> {
  return await guarded(deps, input, async (trx, at) => {
    await record(trx, at, input.items.flatMap(warningsOf));
    await land(trx, at, input.items.map(itemOf), "adopted");
  });
}

async function guarded(
  deps: Sql,
  input: Omit<AttemptInput, "head">,
  write: (trx: Transaction<Schema>, at: Date) => Promise<void>,
): Promise<AttemptResult> {
  const result = await transact(deps, async (trx): Promise<AttemptResult> => {
    if (!(await lockClaimedLane(trx, input.claim))) return { kind: "lane-lost" };
    const { refused, at } = await checkItems(trx, input.claim.lane.id, input.items);
    if (refused.length > 0) return { kind: "refused", deliveryIds: refused };
    if (input.items.length > 0) await write(trx, at);
    await knowTip(trx, input.claim, input.base);
    return { kind: "begun" };
  });
  if (result.kind === "begun") deps.changed();
  return result;
}

/** Does nothing for an attempt that is resolved already. */
export async function attemptLanded(deps: Sql, attempt: { id: string; laneId: string }): Promise<void> {
  await transact(deps, async (trx) => {
    const items = await resolve(trx, attempt, "landed", null);
    if (items === undefined) return;
    await land(trx, await databaseTime(trx), items, "landed");
  });
  deps.changed();
}

/**
 * Does nothing for an attempt that is resolved already. When the lane is looked at again is for its claimant to say: a
 * server that refuses or is away must not be asked without rest.
 */
export async function attemptDead(deps: Sql, attempt: { id: string; laneId: string }, why: string): Promise<void> {
  await transact(deps, async (trx) => {
    const items = await resolve(trx, attempt, "dead", why);
    if (items === undefined) return;
    const elsewhere = await inOpenAttempts(trx, attempt.laneId);
    const free = items.map((item) => item.deliveryId).filter((id) => !elsewhere.has(id));
    if (free.length > 0) await makeReady(trx, attempt, free, why);
  });
  deps.changed();
}

async function makeReady(
  trx: Transaction<Schema>,
  attempt: { id: string; laneId: string },
  ids: readonly string[],
  why: string,
): Promise<void> {
  const at = await databaseTime(trx);
  await trx.selectFrom("delivery").select("id").where("id", "in", ids).orderBy("id").forNoKeyUpdate().execute();
  const ready = await trx
    .updateTable("delivery")
    .set((set) => ({ phase: "ready" as const, message: null, ...moved(set, at) }))
    .where("id", "in", ids)
    .where("phase", "=", "writing")
    .returning("id")
    .execute();
  if (ready.length === 0) return;
  const message = `the push did not land: ${why}`;
  const data = { attempt: attempt.id };
  await record(
    trx,
    at,
    ready.map(({ id }) => ({ deliveryId: id, kind: "ready", message, data })),
  );
}

/** Closes an open attempt under the lane's lock and gives its items; undefined when it is not open. */
async function resolve(
  trx: Transaction<Schema>,
  attempt: { id: string; laneId: string },
  outcome: "landed" | "dead",
  why: string | null,
): Promise<AttemptItem[] | undefined> {
  await lockLane(trx, attempt.laneId);
  const row = await trx
    .updateTable("push_attempt")
    .set({ outcome, why, resolved_at: await databaseTime(trx) })
    .where("id", "=", attempt.id)
    .where("lane_id", "=", attempt.laneId)
    .where("outcome", "=", "open")
    .returning("items")
    .executeTakeFirst();
  return row?.items;
}

async function inOpenAttempts(trx: Transaction<Schema>, laneId: string): Promise<Set<string>> {
  const rows = await trx
    .selectFrom("push_attempt")
    .select("items")
    .where("lane_id", "=", laneId)
    .where("outcome", "=", "open")
    .execute();
  return new Set(rows.flatMap((row) => row.items.map((item) => item.deliveryId)));
}

function moved(set: ExpressionBuilder<Schema, "delivery">, at: Date) {
  return {
    wait_reason: null,
    version: set("version", "+", 1),
    due_at: at,
    lease_owner: null,
    lease_until: null,
    updated_at: at,
  };
}

function warningsOf({ deliveryId, warnings = [] }: GuardedItem): Entry[] {
  return warnings.map((message) => ({ deliveryId, kind: "warning", message }));
}

function itemOf(item: GuardedItem): AttemptItem {
  const { deliveryId, targetId, commit, images, observation } = item;
  return { deliveryId, targetId, commit, ...(images && { images }), observation };
}
