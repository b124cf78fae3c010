import type { Selectable } from "kysely";
import type { Build } from "../model/build.ts";
import type { Delivery, DeliveryEvent } from "../model/delivery.ts";
import type { Hold } from "../model/hold.ts";
import type { BuildTable, DeliveryEventTable, DeliveryTable, HoldTable } from "./schema.ts";

export type BuildRow = Selectable<BuildTable>;
export type DeliveryRow = Selectable<DeliveryTable>;

export function buildOf(row: BuildRow): Build {
  return {
    id: row.id,
    artifacts: row.artifacts,
    source: row.source,
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    subject: row.subject,
    groups: row.subject_groups,
    createdAt: row.created_at.getTime(),
  };
}

export function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    kind: row.kind,
    buildId: row.build_id,
    targetId: row.target_id,
    app: row.app,
    environment: row.environment,
    laneId: row.lane_id,
    ...(row.rollback === null ? {} : { rollback: row.rollback }),
    images: row.images,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    phase: row.phase,
    ...(row.wait_reason === null ? {} : { waitReason: row.wait_reason }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.message === null ? {} : { message: row.message }),
    ...(row.commit === null ? {} : { commit: row.commit }),
    ...(row.observation === null ? {} : { observation: row.observation }),
    ...(row.trust === null ? {} : { trust: row.trust }),
    ...(row.reverted_by === null ? {} : { revertedBy: row.reverted_by }),
    version: row.version,
    dueAt: row.due_at.getTime(),
    expireAt: row.expire_at.getTime(),
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export function eventOf(row: Selectable<DeliveryEventTable>): DeliveryEvent {
  return {
    id: Number(row.id),
    deliveryId: row.delivery_id,
    at: row.at.getTime(),
    kind: row.kind,
    message: row.message,
    ...(row.data === null ? {} : { data: row.data }),
  };
}

export function holdOf(row: Selectable<HoldTable>, builds: ReadonlyMap<string, Build>): Hold {
  const build = row.build_id === null ? undefined : builds.get(row.build_id);
  return {
    id: row.id,
    targetId: row.target_id,
    ...(row.digest === null ? {} : { digest: row.digest }),
    ...(build === undefined ? {} : { build }),
    by: row.by,
    why: row.why,
    createdAt: row.created_at.getTime(),
    ...(row.until === null ? {} : { until: row.until.getTime() }),
  };
}

/** JSON that PostgreSQL takes: it stores neither NUL nor half a surrogate pair, which commit messages may contain. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "string" ? storable(part) : part));
}

/** Text that PostgreSQL takes; what it cannot store becomes U+FFFD. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
