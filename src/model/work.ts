import type { Ending, NewEvent, Phase, WaitReason } from "./delivery.ts";
import type { Observation } from "./observation.ts";
import type { TrustRecord } from "./trust.ts";

/** Whose it is, and for how many milliseconds of database time. */
export interface Lease {
  owner: string;
  ms: number;
}

/** What a stage makes of a delivery; absent fields stay as they are. */
export interface DeliveryChange {
  phase: Phase;
  waitReason?: WaitReason;
  message?: string;
  ending?: Ending;
  observation?: Observation;
  trust?: TrustRecord;
  /** Milliseconds from now until somebody looks again. */
  dueInMs?: number;
  events?: NewEvent[];
}
