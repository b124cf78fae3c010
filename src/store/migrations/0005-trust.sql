-- By what an image was proven before it was written; null where nothing has to be proven.
alter table delivery add column trust jsonb;
