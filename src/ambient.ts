import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Ambient } from "./model/ambient.ts";

/** The machine's own time, chance and names. */
export const systemAmbient: Ambient = {
  clock: {
    now: () => Date.now(),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      await delay(ms, undefined, { signal }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    },
  },
  random: { next: () => Math.random() },
  ids: { uuid: () => uuidv7(Date.now(), randomBytes(10)) },
};

/** RFC 9562 section 5.7: 48 bits of milliseconds, then random bits. */
function uuidv7(now: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.set(random, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
