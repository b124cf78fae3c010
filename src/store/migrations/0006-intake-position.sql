-- Up to where the runs of a cluster are known, for each place that they are read from.
create table intake_position (
  stream text collate "C" primary key,
  -- Runs that ended before are never taken.
  first timestamptz(3) not null,
  -- Every run that ended before was handled.
  reached timestamptz(3) not null
);
