import type { AcceptInput, AcceptResult, NewDelivery } from "../../../src/model/acceptance.ts";
import { type Build, buildIdentity } from "../../../src/model/build.ts";
import type { Delivery } from "../../../src/model/delivery.ts";
import { doneEvent, type MemoryState } from "./state.ts";

export function accept(state: MemoryState, input: AcceptInput): AcceptResult {
  const { idempotency, subject } = input;
  const key = idempotency === undefined ? undefined : JSON.stringify([subject, idempotency.key]);
  const known = key === undefined ? undefined : state.keys.get(key);
  if (known !== undefined) {
    if (known.bodyHash !== idempotency?.bodyHash) return { kind: "idempotency-mismatch" };
    return result(state, "repeat", known.buildId);
  }
  const identity = buildIdentity(input.report, input.subject);
  const winner = state.identities.get(identity);
  if (key !== undefined && idempotency !== undefined) {
    state.keys.set(key, { bodyHash: idempotency.bodyHash, buildId: winner ?? input.buildId });
  }
  if (winner !== undefined) return result(state, "repeat", winner);
  state.identities.set(identity, input.buildId);
  const build: Build = {
    ...input.report,
    id: input.buildId,
    subject,
    groups: input.groups,
    createdAt: state.now(),
  };
  state.builds.set(build.id, structuredClone(build));
  for (const delivery of input.deliveries) insert(state, input, delivery);
  state.changed();
  return result(state, "accepted", build.id);
}

function insert(state: MemoryState, input: AcceptInput, delivery: NewDelivery): void {
  const { lane, expireAfterMs, ending, ...rest } = delivery;
  const now = state.now();
  state.target(delivery.targetId);
  if (!state.lanes.has(lane.id)) state.lanes.set(lane.id, { lane: { ...lane }, epoch: 0 });
  const value: Delivery = {
    ...structuredClone(rest),
    buildId: input.buildId,
    ...(input.report.traceparent === undefined ? {} : { traceparent: input.report.traceparent }),
    laneId: lane.id,
    phase: ending === undefined ? "received" : "done",
    ...ending,
    version: 1,
    dueAt: now,
    expireAt: now + Math.round(expireAfterMs),
    createdAt: now,
    updatedAt: now,
  };
  state.deliveries.set(value.id, { value, woken: false });
  state.record(value.id, { kind: "received", message: `received from ${input.subject}` });
  if (ending !== undefined) state.record(value.id, doneEvent(ending));
}

function result(state: MemoryState, kind: "accepted" | "repeat", buildId: string): AcceptResult {
  const deliveries = state.inOrder((delivery) => delivery.buildId === buildId).map(({ value }) => value);
  return structuredClone({ kind, build: state.build(buildId), deliveries });
}
