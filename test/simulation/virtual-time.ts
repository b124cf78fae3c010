import type { Clock, Random } from "../../src/model/ambient.ts";

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

/** A clock that jumps from event to event; events at one time run in the order in which they were made. */
export class VirtualTime implements Clock {
  #now: number;
  #order = 0;
  #queue: Entry[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Runs `run` after `ms` virtual milliseconds. */
  after(ms: number, run: () => void): void {
    const entry = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.at > entry.at) low = middle + 1;
      else high = middle;
    }
    // Sorted latest first, so that the next event is popped from the end; equal times keep their order.
    this.#queue.splice(low, 0, entry);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  /** Runs every event up to a time, and leaves the clock there. Returns how many were run. */
  async run(until: number): Promise<number> {
    let events = 0;
    for (;;) {
      await settle();
      const next = this.#queue.at(-1);
      if (next === undefined || next.at > until) {
        this.#now = until;
        return events;
      }
      this.#queue.pop();
      this.#now = next.at;
      next.run();
      events++;
    }
  }
}

/** Lets every promise that can go on without an event go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A small seeded generator (mulberry32): the same seed gives the same run. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}
