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
  // The next one dies on time, whether or not the last one is up again: a start under load takes longer than a beat.
  const starting = new Map<number, Promise<void>>();
  const replace = async (victim: number): Promise<void> => {
    await starting.get(victim);
    await running[victim]?.kill();
    kills++;
    running[victim] = await start();
  };
  const killing = (async () => {
    if (options.killEveryMs === 0) return;
    for (let turn = 0; !stop.signal.aborted; turn++) {
      await delay(options.killEveryMs, undefined, { signal: stop.signal });
      const victim = turn % running.length;
      starting.set(victim, replace(victim));
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
      await Promise.all(starting.values());
      for (const one of running) await one.terminate();
    },
  };
}
