import type { Delivery, Ending } from "../model/delivery.ts";
import { traceIdOf } from "../model/trace.ts";
import type { Log } from "./ports.ts";

/** What every log line about a delivery says of it. */
export function fieldsOf(delivery: Delivery): Record<string, unknown> {
  return { delivery: delivery.id, target: delivery.targetId, traceId: traceIdOf(delivery.traceparent) };
}

export function logEnded(log: Log, delivery: Delivery, ending: Ending): void {
  const { outcome, reason, message } = ending;
  log.info("a delivery ended", { ...fieldsOf(delivery), commit: delivery.commit, outcome, reason, message });
}
