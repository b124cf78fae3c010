-- What a rollback takes out and brings back; null for other kinds.
alter table delivery add column rollback jsonb;
-- One rollback at a time, and one for ever once it has landed, of each delivery.
create unique index delivery_rollback_once on delivery ((rollback ->> 'reverts'))
  where kind = 'rollback' and (phase <> 'done' or commit is not null);
create index delivery_rollback_newest on delivery (created_at) where kind = 'rollback';
-- What stood at a target, newest landing first.
create index delivery_landed on delivery (target_id, (observation -> 'pushedAt')) where commit is not null;

-- Builds of this one's source commit, and of older ones, are held as well.
alter table hold add column build_id text collate "C" references build;
