import { sql, type Transaction } from "kysely";
import { GitspanError } from "../model/errors.ts";
import type { DeliveryChange } from "../model/work.ts";
import { lockDeliveries } from "./deliveries.ts";
import { doneEvent, type Entry, record } from "./history.ts";
import { makeLanesDue } from "./lanes.ts";
import { type DeliveryRow, jsonText } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, type Sql, transact } from "./sql.ts";
import { lockTargets } from "./targets.ts";

export interface Save {
  /** As it was read. */
  delivery: { id: string; version: number };
  change: DeliveryChange;
}

/**
 * False, in the order given, where the version is not the one that was read, and for a delivery that is being written
 * (only its attempt's end may move it) or done (an outcome never changes). Leaving a phase clears its wait reason and
 * message.
 */
export async function saveAll(deps: Sql, saves: readonly Save[]): Promise<boolean[]> {
  for (const { change } of saves) {
    if (change.ending === undefined && (change.phase === "done" || change.phase === "writing")) {
      throw new GitspanError("internal", `a delivery does not become ${change.phase} by being saved`);
    }
  }
  const saved = await transact(deps, (trx) => saveIn(trx, saves));
  if (saved.includes(true)) deps.changed();
  return saved;
}

/** `saveAll` inside a transaction. */
export async function saveIn(trx: Transaction<Schema>, saves: readonly Save[]): Promise<boolean[]> {
  const found = await trx
    .selectFrom("delivery")
    .select(["id", "version", "phase", "lane_id", "target_id"])
    .where("id", "in", [...new Set(saves.map(({ delivery }) => delivery.id))])
    .execute();
  const before = new Map(found.map((row) => [row.id, row]));
  const possible = saves.flatMap((save) => {
    const row = before.get(save.delivery.id);
    return row !== undefined && mayBecome(row, save) ? [{ save, row }] : [];
  });
  if (possible.length === 0) return saves.map(() => false);

  const becomeReady = possible.filter(({ row, save }) => phaseAfter(save.change) === "ready" && row.phase !== "ready");
  await makeLanesDue(
    trx,
    becomeReady.map(({ row }) => row.lane_id),
  );
  const healthy = possible.filter(({ save }) => save.change.ending?.outcome === "healthy");
  await lockTargets(
    trx,
    healthy.map(({ row }) => row.target_id),
  );
  const rows = await lockDeliveries(
    trx,
    possible.map(({ row }) => row.id),
  );
  const at = await databaseTime(trx);

  const taken = new Map<string, Save>();
  for (const { save } of possible) {
    const row = rows.get(save.delivery.id);
    if (row !== undefined && mayBecome(row, save) && !taken.has(row.id)) taken.set(row.id, save);
  }
  await write(trx, at, { rows, saves: [...taken.values()] });
  for (const { row, save } of healthy) {
    if (taken.get(row.id) !== save) continue;
    await trx
      .updateTable("target")
      .set({ last_healthy_id: row.id, version: sql<number>`version + 1` })
      .where("id", "=", row.target_id)
      .execute();
  }
  return saves.map((save) => taken.get(save.delivery.id) === save);
}

function mayBecome(row: Pick<DeliveryRow, "version" | "phase">, { delivery }: Save): boolean {
  return row.version === delivery.version && row.phase !== "writing" && row.phase !== "done";
}

function phaseAfter({ ending, phase }: DeliveryChange): DeliveryChange["phase"] {
  return ending === undefined ? phase : "done";
}

async function write(
  trx: Transaction<Schema>,
  at: Date,
  { rows, saves }: { rows: ReadonlyMap<string, DeliveryRow>; saves: readonly Save[] },
): Promise<void> {
  if (saves.length === 0) return;
  const values = saves.flatMap(({ delivery, change }) => {
    const row = rows.get(delivery.id);
    return row === undefined ? [] : [valuesOf(row, change)];
  });
  await sql`
    update delivery set
      phase = one.phase,
      wait_reason = one.wait_reason,
      message = one.message,
      outcome = coalesce(one.outcome, delivery.outcome),
      reason = coalesce(one.reason, delivery.reason),
      observation = coalesce(one.observation, delivery.observation),
      trust = coalesce(one.trust, delivery.trust),
      due_at = case
        when one.due_in_ms is null then delivery.due_at
        when delivery.woken then ${at}
        else ${at}::timestamptz + one.due_in_ms * interval '1 millisecond'
      end,
      version = delivery.version + 1,
      lease_owner = null,
      lease_until = null,
      woken = false,
      updated_at = ${at}
    from jsonb_to_recordset(${jsonText(values)}::jsonb) as one (
      id text collate "C", phase text, wait_reason text, message text, outcome text, reason text,
      observation jsonb, trust jsonb, due_in_ms double precision
    )
    where delivery.id = one.id`.execute(trx);
  const entries = saves.flatMap(({ delivery, change: { events = [], ending } }): Entry[] =>
    [...events, ...(ending === undefined ? [] : [doneEvent(ending)])].map((event) => ({
      deliveryId: delivery.id,
      ...event,
    })),
  );
  await record(trx, at, entries);
}

function valuesOf(current: DeliveryRow, change: DeliveryChange) {
  const { ending, dueInMs, observation, trust } = change;
  const phase = phaseAfter(change);
  const message = ending?.message ?? change.message;
  const kept = phase === current.phase ? current.message : null;
  return {
    id: current.id,
    phase,
    wait_reason: phase === "waiting" ? (change.waitReason ?? current.wait_reason) : null,
    message: message ?? kept,
    outcome: ending?.outcome,
    reason: ending?.reason,
    observation,
    trust,
    due_in_ms: dueInMs === undefined ? undefined : Math.round(dueInMs),
  };
}
