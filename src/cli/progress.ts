import { formatOutcome } from "../model/delivery.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";
import type { BuildBody, DeliveryBody } from "./wire.ts";

/** One line that rewrites itself; only where a person watches. */
export function showProgress(io: Io, build: BuildBody): void {
  if (io.stderr.isTTY !== true) return;
  const states = build.deliveries.map((delivery) => `${delivery.target} ${stateOf(delivery)}`);
  io.stderr.write(`\r\u001b[2K${printable(states.join(", "))}`);
}

export function endProgress(io: Io): void {
  if (io.stderr.isTTY === true) io.stderr.write("\r\u001b[2K");
}

/** `waiting(hold)`, `following (rolling)`, `failed(degraded)` */
export function stateOf(delivery: DeliveryBody): string {
  if (delivery.outcome !== undefined) return formatOutcome(delivery);
  if (delivery.waitReason !== undefined) return `${delivery.phase}(${delivery.waitReason})`;
  return delivery.verdict === undefined ? delivery.phase : `${delivery.phase} (${delivery.verdict.state})`;
}
