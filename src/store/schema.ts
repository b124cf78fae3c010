import type { ColumnType, Generated } from "kysely";
import type { Artifact, Run, Source } from "../model/build.ts";
import type {
  DeliveryKind,
  ImageValue,
  Outcome,
  OutcomeReason,
  Phase,
  Rollback,
  WaitReason,
} from "../model/delivery.ts";
import type { Digest } from "../model/image.ts";
import type { AttemptItem } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import type { TrustRecord } from "../model/trust.ts";

/** Read as a value, written as JSON text: the driver would send a JavaScript array as a PostgreSQL array. */
type Json<T> = ColumnType<T, string, string>;

export interface BuildTable {
  id: string;
  identity: string;
  subject: string;
  subject_groups: Json<string[]>;
  artifacts: Json<Artifact[]>;
  source: Json<Source>;
  run: ColumnType<Run | null, string | null, string | null>;
  traceparent: string | null;
  created_at: Date;
}

export interface IdempotencyKeyTable {
  subject: string;
  key: string;
  body_hash: string;
  build_id: string;
  created_at: Date;
}

export interface LaneTable {
  id: string;
  repository: string;
  branch: string;
  due_at: Date | null;
  owner: string | null;
  lease_until: Date | null;
  epoch: Generated<number>;
  last_seen_tip: string | null;
}

export interface TargetTable {
  id: string;
  current_id: string | null;
  last_healthy_id: string | null;
  pinned_by: string | null;
  pinned_why: string | null;
  overridden_kind: "reverted" | "changed" | null;
  overridden_commit: string | null;
  version: Generated<number>;
  since: Date;
}

export interface DeliveryTable {
  id: string;
  kind: DeliveryKind;
  build_id: string;
  target_id: string;
  lane_id: string;
  app: string;
  environment: string;
  rollback: ColumnType<Rollback | null, string | null | undefined, string | null>;
  images: Json<ImageValue[]>;
  traceparent: string | null;
  phase: Phase;
  wait_reason: WaitReason | null;
  outcome: Outcome | null;
  reason: OutcomeReason | null;
  message: string | null;
  commit: string | null;
  observation: ColumnType<Observation | null, string | null, string | null>;
  trust: ColumnType<TrustRecord | null, string | null | undefined, string | null>;
  reverted_by: string | null;
  version: Generated<number>;
  due_at: Date;
  lease_owner: string | null;
  lease_until: Date | null;
  woken: Generated<boolean>;
  expire_at: Date;
  created_at: Date;
  updated_at: Date;
}

export interface DeliveryEventTable {
  /** An int8, which the driver reads as text. */
  id: Generated<string>;
  delivery_id: string;
  at: Date;
  kind: string;
  message: string;
  data: ColumnType<Record<string, unknown> | null, string | null, string | null>;
}

export interface PushAttemptTable {
  id: string;
  lane_id: string;
  epoch: number;
  base: string;
  head: string;
  items: Json<AttemptItem[]>;
  config_hash: string;
  outcome: Generated<"open" | "landed" | "dead">;
  why: string | null;
  created_at: Date;
  resolved_at: Date | null;
}

export interface HoldTable {
  id: string;
  target_id: string;
  digest: Digest | null;
  build_id: string | null;
  by: string;
  why: string;
  until: Date | null;
  created_at: Date;
}

export interface RollbackBrakeTable {
  cluster: string;
  why: string;
  until: Date;
}

export interface IntakePositionTable {
  stream: string;
  first: Date;
  reached: Date;
}

export interface TokenTable {
  id: Generated<number>;
  name: string;
  hash: string;
  token_groups: Json<string[]>;
  expires_at: Date | null;
  created_at: Date;
  revoked_at: Date | null;
}

export interface Schema {
  build: BuildTable;
  idempotency_key: IdempotencyKeyTable;
  lane: LaneTable;
  target: TargetTable;
  delivery: DeliveryTable;
  delivery_event: DeliveryEventTable;
  push_attempt: PushAttemptTable;
  hold: HoldTable;
  rollback_brake: RollbackBrakeTable;
  token: TokenTable;
  intake_position: IntakePositionTable;
}
