-- Ids are text in byte order, so that sorting by (created_at, id) is the same on every server and every locale.
-- Times have the millisecond precision that the program sees: a cursor or a comparison never falls between two rows.

create table build (
  id text collate "C" primary key,
  -- What makes it the same build: the run, or else the subject with artifacts and source commit (hash of either).
  identity text collate "C" not null unique,
  subject text not null,
  subject_groups jsonb not null,
  artifacts jsonb not null,
  source jsonb not null,
  run jsonb,
  traceparent text,
  created_at timestamptz(3) not null
);

create table idempotency_key (
  subject text collate "C" not null,
  key text collate "C" not null,
  body_hash text not null,
  build_id text collate "C" not null references build deferrable initially deferred,
  created_at timestamptz(3) not null,
  primary key (subject, key)
);

create table lane (
  id text collate "C" primary key,
  repository text not null,
  branch text not null,
  -- When somebody has to look; null: nothing to do until a delivery becomes ready.
  due_at timestamptz(3),
  owner text,
  -- Null: released. A past time: the owner died or stalled.
  lease_until timestamptz(3),
  epoch integer not null default 0,
  last_seen_tip text
);
create index lane_due on lane (due_at) where due_at is not null;
create index lane_lease on lane (lease_until) where lease_until is not null;

create table target (
  id text collate "C" primary key,
  current_id text collate "C",
  last_healthy_id text collate "C",
  pinned_by text,
  pinned_why text,
  overridden_kind text,
  overridden_commit text,
  version integer not null default 1,
  since timestamptz(3) not null
);
create index target_current on target (current_id);

create table delivery (
  id text collate "C" primary key,
  kind text not null,
  build_id text collate "C" not null references build,
  target_id text collate "C" not null references target,
  lane_id text collate "C" not null references lane,
  app text not null,
  environment text not null,
  images jsonb not null,
  phase text not null,
  wait_reason text,
  outcome text,
  reason text,
  message text,
  commit text,
  observation jsonb,
  reverted_by text,
  version integer not null default 1,
  due_at timestamptz(3) not null,
  lease_owner text,
  lease_until timestamptz(3),
  -- Somebody asked for an earlier look while the row was leased: the holder's next due time does not count.
  woken boolean not null default false,
  expire_at timestamptz(3) not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  check ((phase = 'done') = (outcome is not null))
);
create unique index delivery_once on delivery (target_id, build_id) where kind = 'build';
create index delivery_due on delivery (phase, due_at) where phase <> 'done';
create index delivery_undone on delivery (target_id) where phase <> 'done';
create index delivery_lane on delivery (lane_id) where phase in ('ready', 'writing');
create index delivery_newest on delivery (created_at, id);
create index delivery_app on delivery (app, created_at, id);
create index delivery_environment on delivery (environment, created_at, id);
create index delivery_outcome on delivery (outcome, created_at, id);
create index delivery_commit on delivery (commit) where commit is not null;
create index delivery_build on delivery (build_id);
create index delivery_images on delivery using gin (images jsonb_path_ops);

create table delivery_event (
  id bigint generated always as identity primary key,
  delivery_id text collate "C" not null references delivery,
  at timestamptz(3) not null,
  kind text not null,
  message text not null,
  data jsonb
);
create index delivery_event_of on delivery_event (delivery_id, id);

create table push_attempt (
  id text collate "C" primary key,
  lane_id text collate "C" not null references lane,
  epoch integer not null,
  base text not null,
  head text not null,
  items jsonb not null,
  config_hash text not null,
  outcome text not null default 'open',
  why text,
  created_at timestamptz(3) not null,
  resolved_at timestamptz(3)
);
create index push_attempt_open on push_attempt (lane_id) where outcome = 'open';

create table hold (
  id text collate "C" primary key,
  target_id text collate "C" not null references target,
  digest text,
  by text not null,
  why text not null,
  until timestamptz(3),
  created_at timestamptz(3) not null
);
create index hold_target on hold (target_id);

create table token (
  id integer generated always as identity primary key,
  name text not null,
  hash text collate "C" not null unique,
  token_groups jsonb not null,
  expires_at timestamptz(3),
  created_at timestamptz(3) not null,
  revoked_at timestamptz(3)
);
-- A revoked token stays as a record; its name may be used again.
create unique index token_name on token (name) where revoked_at is null;
