import type { BuildReport } from "./build.ts";
import type { DeliveryKind, ImageValue, Rollback } from "./delivery.ts";
import type { Oid } from "./git.ts";
import type { NewHold } from "./hold.ts";
import type { Observation } from "./observation.ts";
import type { Lane } from "./target.ts";

/** A delivery of a database that is gone, as its commit tells. */
export interface ImportedDelivery {
  id: string;
  kind: DeliveryKind;
  commit: Oid;
  images: ImageValue[];
  observation: Observation;
  rollback?: Rollback;
  revertedBy?: Oid;
  /** Its id is new: commits do not name builds. */
  build: { id: string; report: BuildReport };
}

/** What a branch's history tells of a target that the database knows nothing of. */
export interface ImportedTarget {
  targetId: string;
  targetVersion: number;
  app: string;
  environment: string;
  lane: Lane;
  /** Newest first; the first one was written last. */
  deliveries: ImportedDelivery[];
  /** Set when the newest one's values do not stand. */
  overridden?: { kind: "reverted" | "changed"; commit: Oid };
  pin?: { by: string; why: string };
  holds: NewHold[];
}
