import { GitspanError } from "../model/errors.ts";
import { callApi } from "./api.ts";
import type { Io } from "./io.ts";
import { type ProgressStyle, progressOf, stateOf } from "./progress.ts";
import { retrying } from "./retry.ts";
import type { Server } from "./server.ts";
import { type DeliveryBody, isDeliveryBody } from "./wire.ts";

const LOOK_MS = 1_000;

/** Asks until the delivery has its outcome, also over a restart of the server. Throws `timed-out`. */
export async function waitForDelivery(
  io: Io,
  server: Server,
  { id, timeoutMs, style }: { id: string; timeoutMs: number; style: ProgressStyle },
): Promise<DeliveryBody> {
  const end = io.clock.now() + timeoutMs;
  const progress = progressOf(io, style);
  const path = `v1/deliveries/${encodeURIComponent(id)}`;
  for (;;) {
    const left = end - io.clock.now();
    const delivery = await retrying(io, left, () => callApi(server, { path, accepts: isDeliveryBody }, io.signal));
    progress.show([delivery]);
    if (delivery.outcome !== undefined) return delivery;
    if (io.clock.now() + LOOK_MS > end) {
      throw new GitspanError("timed-out", `delivery ${id} is not done in time: ${stateOf(delivery)}`, {
        hint: `It goes on by itself; look at it with: gitspan deliveries get ${id}`,
      });
    }
    await io.clock.sleep(LOOK_MS, io.signal);
  }
}
