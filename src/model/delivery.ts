import type { Digest } from "./image.ts";
import type { Observation } from "./observation.ts";
import type { TrustRecord } from "./trust.ts";

export const PHASES = ["received", "waiting", "ready", "writing", "following", "done"] as const;
export type Phase = (typeof PHASES)[number];

export const WAIT_REASONS = ["hold", "pin", "signature", "freeze", "approval", "upstream", "lane"] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** Every final outcome with the reasons it may carry; an empty list means: no reason needed. */
export const OUTCOMES = {
  healthy: [],
  superseded: [],
  rejected: ["no-digest", "tag-moved", "untrusted", "forbidden", "held", "edit-refused", "push-refused"],
  failed: ["render", "sync", "degraded", "crashing", "timed-out", "lost"],
  overridden: ["reverted", "changed"],
  cancelled: ["by-user", "target-removed", "closed", "expired"],
} as const;
export type Outcome = keyof typeof OUTCOMES;
export type OutcomeReason = (typeof OUTCOMES)[Outcome][number];

export type DeliveryKind = "build" | "rollback" | "retry";

/** The values one image has at a target. */
export interface ImageValue {
  /** The target image's name. */
  name: string;
  repository: string;
  tag?: string;
  digest?: Digest;
}

/** What a rollback takes out of its target, and what it brings back. */
export interface Rollback {
  /** The delivery that stood when it was asked for. */
  reverts: string;
  /** All that it takes out, newest first; `reverts` is the first. */
  undoes: string[];
  /** The delivery whose values it brings back; absent where nothing of ours stood before. */
  restores?: string;
  /** A person, the environment's policy, or a hold that came while its value was being pushed. */
  trigger: "manual" | "automatic" | "hold";
  /** Who asked for it; of an automatic one nobody did. */
  by?: { subject: string; groups: string[] };
  why: string;
  /** Argo CDs that said that it failed; set for automatic ones, which are counted by them. */
  clusters?: string[];
}

/** One build on its way to one target. */
export interface Delivery {
  id: string;
  kind: DeliveryKind;
  buildId: string;
  targetId: string;
  app: string;
  environment: string;
  laneId: string;
  /** The build's W3C trace context. */
  traceparent?: string;
  /** Set with kind `rollback`; `buildId` is then that of the values that it brings back. */
  rollback?: Rollback;
  /** What is to stand at the target, one per image of the target that the build made. */
  images: ImageValue[];
  phase: Phase;
  waitReason?: WaitReason;
  outcome?: Outcome;
  reason?: OutcomeReason;
  /** One sentence for people: why it waits or how it ended. */
  message?: string;
  /** The commit that carries it; set once landed. */
  commit?: string;
  /** What is known of Argo CD's side; set once landed. */
  observation?: Observation;
  /** By what it was proven; set where the environment wants proof. */
  trust?: TrustRecord;
  /** The commit by which a person or a rollback took it out again. */
  revertedBy?: string;
  /** Changes with every write; guards against acting on an old reading. */
  version: number;
  /** Database times, milliseconds since the epoch. */
  dueAt: number;
  expireAt: number;
  createdAt: number;
  updatedAt: number;
}

/** The final word on a delivery. */
export interface Ending {
  outcome: Outcome;
  reason?: OutcomeReason;
  message: string;
}

/** One line of a delivery's history. */
export interface DeliveryEvent {
  id: number;
  deliveryId: string;
  at: number;
  /** `received`, `ready`, `waiting`, `writing`, `landed`, `verdict`, `warning`, `rolled-back`, `done`... */
  kind: string;
  message: string;
  data?: Record<string, unknown>;
}

export type NewEvent = Pick<DeliveryEvent, "kind" | "message" | "data">;

/** `failed(degraded)`, `healthy` */
export function formatOutcome(delivery: { outcome?: Outcome; reason?: OutcomeReason }): string {
  if (delivery.outcome === undefined) return "";
  return delivery.reason === undefined ? delivery.outcome : `${delivery.outcome}(${delivery.reason})`;
}
