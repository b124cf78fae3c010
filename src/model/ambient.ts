/**
 * What a pure program has to be given: time, chance and names. The real ones are in `src/ambient.ts`, the only file
 * that may call `Date.now`, timers, `Math.random` or `randomUUID`; the simulation gives its own and replays exactly.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export interface Ids {
  /** A UUID version 7: sortable by the time it was made. */
  uuid(): string;
}

export interface Ambient {
  clock: Clock;
  random: Random;
  ids: Ids;
}
