-- No automatic rollback fires for Applications of this Argo CD before then.
create table rollback_brake (
  cluster text collate "C" primary key,
  why text not null,
  until timestamptz(3) not null
);
