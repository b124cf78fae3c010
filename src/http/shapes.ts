import { formatApplicationRef } from "../model/application.ts";
import type { Build } from "../model/build.ts";
import type { Delivery, DeliveryEvent } from "../model/delivery.ts";
import type { Verdict } from "../model/observation.ts";

/** What the API shows; times are ISO 8601, keys that have no value are left out. */
export type Json = Record<string, unknown>;

export function buildShape(build: Build, deliveries: readonly Delivery[]): Json {
  return {
    id: build.id,
    subject: build.subject,
    createdAt: iso(build.createdAt),
    images: build.artifacts.map(({ name, repository, tag, digest }) => ({ name, repository, tag, digest })),
    source: { ...build.source, time: iso(build.source.time) },
    run: build.run === undefined ? undefined : { ...build.run, finishedAt: iso(build.run.finishedAt) },
    written: deliveries.every(isWritten),
    done: deliveries.every(isDone),
    deliveries: deliveries.map(deliveryShape),
    links: { self: buildLink(build.id) },
  };
}

export function deliveryShape(delivery: Delivery): Json {
  const { verdict } = delivery.observation ?? {};
  return {
    id: delivery.id,
    kind: delivery.kind,
    build: delivery.buildId,
    target: delivery.targetId,
    app: delivery.app,
    environment: delivery.environment,
    images: delivery.images.map(({ name, repository, tag, digest }) => ({ name, repository, tag, digest })),
    phase: delivery.phase,
    waitReason: delivery.waitReason,
    outcome: delivery.outcome,
    reason: delivery.reason,
    message: delivery.message,
    ...laneShape(delivery.laneId),
    commit: delivery.commit,
    revertedBy: delivery.revertedBy,
    verdict: verdict === undefined ? undefined : verdictShape(verdict),
    createdAt: iso(delivery.createdAt),
    updatedAt: iso(delivery.updatedAt),
    links: { self: `/v1/deliveries/${delivery.id}`, build: buildLink(delivery.buildId) },
  };
}

/** One delivery with all that is known of it: what happened, and what the verdict of each Application rests on. */
export function deliveryDetailShape(delivery: Delivery, events: readonly DeliveryEvent[]): Json {
  const { observation } = delivery;
  return {
    ...deliveryShape(delivery),
    expiresAt: iso(delivery.expireAt),
    paths: observation?.paths,
    pushedAt: iso(observation?.pushedAt),
    evidence: observation?.verdict?.evidence,
    applications: observation?.applications.map(({ ref, verdict }) => ({
      application: formatApplicationRef(ref),
      verdict: verdict === undefined ? undefined : { ...verdictShape(verdict), evidence: verdict.evidence },
    })),
    events: events.map(({ at, kind, message, data }) => ({ at: iso(at), kind, message, data })),
  };
}

export function buildLink(id: string): string {
  return `/v1/builds/${id}`;
}

/** Written, or ended without ever being written. */
export function isWritten(delivery: Delivery): boolean {
  return delivery.commit !== undefined || isDone(delivery);
}

export function isDone(delivery: Delivery): boolean {
  return delivery.phase === "done";
}

function verdictShape({ state, reason, message }: Verdict): Json {
  return { state, reason, message };
}

/** The lane's name keeps where a delivery went even when its target has left the configuration. */
function laneShape(laneId: string): Json {
  const at = laneId.indexOf("@");
  return at < 0 ? { repository: laneId } : { repository: laneId.slice(0, at), branch: laneId.slice(at + 1) };
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
