/** Bridges as processes of their own on one database; one after the other is killed and started again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Place } from "../bench/bridge-place.ts";
import { type Process, startProcess } from "../kill/site.ts";

export interface Bridges {
  /** Of one that is thought to be alive. */
  address(): Promise<string>;
  kills(): number;
  close(): Promise<void>;
}

export async function startBridges(
  place: Place & { databaseUrl: string },
  options: { bridges: number; killEveryMs: number },
): Promise<Bridges> {
  const start = (): Promise<Process> => startProcess(place);
  const running = await Promise.all(Array.from({ length: options.bridges }, start));
  const stop = new AbortController();
  let kills = 0;
  const killing = (async () => {
    if (options.killEveryMs === 0) return;
    for (let turn = 0; !stop.signal.aborted; turn++) {
      await delay(options.killEveryMs, undefined, { signal: stop.signal });
      const victim = turn % running.length;
      await running[victim]?.kill();
      kills++;
      running[victim] = await start();
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  let asked = 0;
  return {
    async address() {
      for (;;) {
        const found = running[asked++ % running.length]?.address;
        if (found !== undefined) return found;
        await delay(50);
      }
    },
    kills: () => kills,
    async close() {
      stop.abort();
      await killing;
      for (const one of running) await one.terminate();
    },
  };
}
