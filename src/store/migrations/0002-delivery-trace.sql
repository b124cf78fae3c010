-- The build's W3C trace context, so that everything done for a delivery can be logged under it.
alter table delivery add column traceparent text;
update delivery set traceparent = build.traceparent from build
  where build.id = delivery.build_id and build.traceparent is not null;
