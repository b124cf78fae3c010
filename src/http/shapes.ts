import type { RefusedApplication } from "../model/annotated.ts";
import { formatApplicationRef } from "../model/application.ts";
import type { Build, Run } from "../model/build.ts";
import type { Delivery, DeliveryEvent, Rollback } from "../model/delivery.ts";
import type { Hold } from "../model/hold.ts";
import type { Verdict } from "../model/observation.ts";
import type { TargetState } from "../model/reading.ts";
import type { Target } from "../model/target.ts";
import type {
  BuildBody,
  DeliveryBody,
  DeliveryDetailBody,
  FeedEventBody,
  HoldBody,
  RefusedBody,
  TargetBody,
} from "./responses.ts";

// What the API shows (responses.ts); times are ISO 8601, keys that have no value are left out.

interface TargetInput {
  target: Target;
  /** Absent: nothing was ever delivered to it. */
  state: TargetState | undefined;
  holds: readonly Hold[];
}

export function buildShape(build: Build, deliveries: readonly Delivery[]): BuildBody {
  return {
    id: build.id,
    subject: build.subject,
    createdAt: isoTime(build.createdAt),
    images: build.artifacts.map(({ name, repository, tag, digest }) => ({ name, repository, tag, digest })),
    source: { ...build.source, time: iso(build.source.time) },
    run: build.run && runShape(build.run),
    traceparent: build.traceparent,
    written: deliveries.every(isWritten),
    done: deliveries.every(isDone),
    deliveries: deliveries.map(deliveryShape),
    links: { self: buildLink(build.id) },
  };
}

function runShape({ taskUids: _taskUids, ...run }: Run): NonNullable<BuildBody["run"]> {
  return { ...run, finishedAt: iso(run.finishedAt) };
}

export function deliveryShape(delivery: Delivery): DeliveryBody {
  const { verdict } = delivery.observation ?? {};
  return {
    id: delivery.id,
    kind: delivery.kind,
    build: delivery.buildId,
    target: delivery.targetId,
    app: delivery.app,
    environment: delivery.environment,
    images: delivery.images.map(({ name, repository, tag, digest }) => ({ name, repository, tag, digest })),
    rollback: delivery.rollback === undefined ? undefined : rollbackShape(delivery.rollback),
    phase: delivery.phase,
    waitReason: delivery.waitReason,
    outcome: delivery.outcome,
    reason: delivery.reason,
    message: delivery.message,
    ...laneShape(delivery.laneId),
    commit: delivery.commit,
    revertedBy: delivery.revertedBy,
    verdict: verdict === undefined ? undefined : verdictShape(verdict),
    createdAt: isoTime(delivery.createdAt),
    updatedAt: isoTime(delivery.updatedAt),
    links: { self: deliveryLink(delivery.id), build: buildLink(delivery.buildId) },
  };
}

function rollbackShape({ undoes, restores, trigger, by, why }: Rollback): NonNullable<DeliveryBody["rollback"]> {
  return { undoes, restores, trigger, by: by?.subject, why };
}

export function deliveryLink(id: string): string {
  return `/v1/deliveries/${id}`;
}

/** One delivery with all that is known of it: what happened, and what the verdict of each Application rests on. */
export function deliveryDetailShape(delivery: Delivery, events: readonly DeliveryEvent[]): DeliveryDetailBody {
  const { observation } = delivery;
  return {
    ...deliveryShape(delivery),
    expiresAt: isoTime(delivery.expireAt),
    paths: observation?.paths,
    pushedAt: iso(observation?.pushedAt),
    trust: delivery.trust && { at: isoTime(delivery.trust.at), images: delivery.trust.images },
    evidence: observation?.verdict?.evidence,
    applications: observation?.applications.map(({ ref, verdict }) => ({
      application: formatApplicationRef(ref),
      verdict: verdict === undefined ? undefined : { ...verdictShape(verdict), evidence: verdict.evidence },
    })),
    events: events.map(eventShape),
  };
}

/** A target as it stands: what the configuration says of it, and what was done to it. */
export function targetShape({ target, state, holds }: TargetInput): TargetBody {
  const { current, pinned, overridden } = state ?? {};
  return {
    id: target.id,
    app: target.app,
    environment: target.environment,
    repository: target.repository,
    branch: target.branch,
    images: target.images.map(({ name, repository }) => ({ name, repository })),
    current: current === undefined ? undefined : deliveryShape(current.delivery),
    lastHealthy: state?.lastHealthyDeliveryId,
    pin: pinned,
    override: overridden,
    holds: holds.map(holdShape),
    applications: target.applications?.map(formatApplicationRef),
    problem: target.misplaced,
    since: iso(state?.since),
    links: { self: `/v1/targets/${target.id}` },
  };
}

export function refusedShape({ application, app, environment, message, hint }: RefusedApplication): RefusedBody {
  return { application: formatApplicationRef(application), app, environment, message, hint };
}

export function holdShape(hold: Hold): HoldBody {
  return {
    id: hold.id,
    target: hold.targetId,
    digest: hold.digest,
    build: hold.build?.id,
    by: hold.by,
    why: hold.why,
    createdAt: isoTime(hold.createdAt),
    until: iso(hold.until),
    links: { self: holdLink(hold.id), target: `/v1/targets/${hold.targetId}` },
  };
}

export function holdLink(id: string): string {
  return `/v1/holds/${id}`;
}

/** One line of the event stream. */
export function feedEventShape(event: DeliveryEvent & { delivery: Delivery }): FeedEventBody {
  return { id: event.id, ...eventShape(event), delivery: deliveryShape(event.delivery) };
}

function eventShape({ at, kind, message, data }: DeliveryEvent) {
  return { at: isoTime(at), kind, message, data };
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

function verdictShape({ state, reason, message }: Verdict): NonNullable<DeliveryBody["verdict"]> {
  return { state, reason, message };
}

/** The lane's name keeps where a delivery went even when its target has left the configuration. */
function laneShape(laneId: string): Pick<DeliveryBody, "repository" | "branch"> {
  const at = laneId.indexOf("@");
  return at < 0 ? { repository: laneId } : { repository: laneId.slice(0, at), branch: laneId.slice(at + 1) };
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
