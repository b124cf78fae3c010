import type { Build, BuildReport } from "./build.ts";
import type { Delivery, DeliveryKind, Ending, ImageValue } from "./delivery.ts";
import type { Lane } from "./target.ts";

export interface AcceptInput {
  buildId: string;
  report: BuildReport;
  subject: string;
  groups: string[];
  /** The same key of the same subject with another body hash is a mismatch. */
  idempotency?: { key: string; bodyHash: string };
  deliveries: NewDelivery[];
}

export interface NewDelivery {
  id: string;
  kind: DeliveryKind;
  targetId: string;
  app: string;
  environment: string;
  lane: Lane;
  images: ImageValue[];
  /** Milliseconds from acceptance. */
  expireAfterMs: number;
  /** Set for a delivery that is refused on arrival but kept in the history. */
  ending?: Ending;
}

export type AcceptResult =
  | { kind: "accepted" | "repeat"; build: Build; deliveries: Delivery[] }
  | { kind: "idempotency-mismatch" };
