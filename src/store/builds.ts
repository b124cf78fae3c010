import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import type { AcceptInput, AcceptResult, NewDelivery } from "../model/acceptance.ts";
import { type Build, buildIdentity } from "../model/build.ts";
import type { Delivery } from "../model/delivery.ts";
import { buildsOf } from "./deliveries.ts";
import { doneEvent, type Entry, record } from "./history.ts";
import { type BuildRow, buildOf, type DeliveryRow, deliveryOf, jsonText, storable } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { databaseTime, never, plusMs, type Queries, read, type Sql, transact } from "./sql.ts";

/**
 * Stores a build with its deliveries in one durable transaction, or finds the stored one. Of simultaneous duplicates
 * exactly one inserts: the others wait at the unique index until it has committed, then read what it stored.
 */
export async function accept(deps: Sql, input: AcceptInput): Promise<AcceptResult> {
  const result = await transact(deps, (trx) => acceptIn(trx, input));
  if (result.kind === "accepted") deps.changed();
  return result;
}

async function acceptIn(trx: Transaction<Schema>, input: AcceptInput): Promise<AcceptResult> {
  const at = await databaseTime(trx);
  const known = await claimKey(trx, input, at);
  if (known !== undefined) {
    if (known.body_hash !== input.idempotency?.bodyHash) return { kind: "idempotency-mismatch" };
    return await repeatOf(trx, known.build_id);
  }
  const identity = hashOf(buildIdentity(input.report, input.subject));
  const build = await insertBuild(trx, input, identity, at);
  if (build === undefined) {
    const winner = await trx
      .selectFrom("build")
      .select("id")
      .where("identity", "=", identity)
      .executeTakeFirstOrThrow();
    await pointKey(trx, input, winner.id);
    return await repeatOf(trx, winner.id);
  }
  const deliveries = await insertDeliveries(trx, input, at);
  return { kind: "accepted", build: buildOf(build), deliveries };
}

/** Takes the key for this call (undefined), or says for which call it was taken before. */
async function claimKey(trx: Transaction<Schema>, input: AcceptInput, at: Date) {
  if (input.idempotency === undefined) return undefined;
  const { key, bodyHash } = input.idempotency;
  const taken = await trx
    .insertInto("idempotency_key")
    .values({ subject: input.subject, key, body_hash: bodyHash, build_id: input.buildId, created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .returning("key")
    .executeTakeFirst();
  if (taken !== undefined) return undefined;
  return await trx
    .selectFrom("idempotency_key")
    .select(["body_hash", "build_id"])
    .where("subject", "=", input.subject)
    .where("key", "=", key)
    .executeTakeFirstOrThrow();
}

async function pointKey(trx: Transaction<Schema>, input: AcceptInput, buildId: string): Promise<void> {
  if (input.idempotency === undefined) return;
  await trx
    .updateTable("idempotency_key")
    .set({ build_id: buildId })
    .where("subject", "=", input.subject)
    .where("key", "=", input.idempotency.key)
    .execute();
}

async function insertBuild(
  trx: Transaction<Schema>,
  input: AcceptInput,
  identity: string,
  at: Date,
): Promise<BuildRow | undefined> {
  const { artifacts, source, run, traceparent } = input.report;
  return await trx
    .insertInto("build")
    .values({
      id: input.buildId,
      identity,
      subject: input.subject,
      subject_groups: jsonText(input.groups),
      artifacts: jsonText(artifacts),
      source: jsonText(source),
      run: run === undefined ? null : jsonText(run),
      traceparent: traceparent ?? null,
      created_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

async function insertDeliveries(trx: Transaction<Schema>, input: AcceptInput, at: Date): Promise<Delivery[]> {
  if (input.deliveries.length === 0) return [];
  await insertPlaces(trx, input.deliveries, at);
  const rows = await trx
    .insertInto("delivery")
    .values(input.deliveries.map((delivery) => deliveryValues(input, delivery, at)))
    .returningAll()
    .execute();
  const events = input.deliveries.flatMap((delivery): Entry[] => [
    { deliveryId: delivery.id, kind: "received", message: `received from ${input.subject}` },
    ...(delivery.ending === undefined ? [] : [{ deliveryId: delivery.id, ...doneEvent(delivery.ending) }]),
  ]);
  await record(trx, at, events);
  return inOrder(rows);
}

/** Sorted, so that two transactions that insert the same new rows wait for each other in one direction only. */
async function insertPlaces(trx: Transaction<Schema>, deliveries: readonly NewDelivery[], at: Date): Promise<void> {
  const lanes = new Map(deliveries.map(({ lane }) => [lane.id, lane]));
  await trx
    .insertInto("lane")
    .values([...lanes.values()].sort((a, b) => (a.id < b.id ? -1 : 1)))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const targets = [...new Set(deliveries.map(({ targetId }) => targetId))].sort();
  await insertTargets(trx, targets, at);
}

/** `ids` sorted. */
export async function insertTargets(db: Queries, ids: readonly string[], at: Date): Promise<void> {
  await db
    .insertInto("target")
    .values(ids.map((id) => ({ id, since: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function deliveryValues({ buildId, report }: AcceptInput, delivery: NewDelivery, at: Date) {
  const { ending } = delivery;
  return {
    id: delivery.id,
    kind: delivery.kind,
    build_id: buildId,
    target_id: delivery.targetId,
    lane_id: delivery.lane.id,
    app: delivery.app,
    environment: delivery.environment,
    images: jsonText(delivery.images),
    traceparent: report.traceparent ?? null,
    phase: ending === undefined ? ("received" as const) : ("done" as const),
    outcome: ending?.outcome ?? null,
    reason: ending?.reason ?? null,
    message: ending === undefined ? null : storable(ending.message),
    due_at: at,
    expire_at: plusMs(at, delivery.expireAfterMs),
    created_at: at,
    updated_at: at,
  };
}

async function repeatOf(db: Queries, buildId: string): Promise<AcceptResult> {
  const build = await db.selectFrom("build").selectAll().where("id", "=", buildId).executeTakeFirst();
  const deliveries = await db.selectFrom("delivery").selectAll().where("build_id", "=", buildId).execute();
  if (build === undefined) return never(`build ${buildId} is named by an idempotency key but not stored`);
  return { kind: "repeat", build: buildOf(build), deliveries: inOrder(deliveries) };
}

/** Oldest first. */
export function inOrder(rows: readonly DeliveryRow[]): Delivery[] {
  return rows.map(deliveryOf).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** In the order of ids. */
export async function builds(deps: Sql, ids: readonly string[]): Promise<(Build | undefined)[]> {
  const found = await read(deps, (db) => buildsOf(db, ids));
  return ids.map((id) => found.get(id));
}
