import type { IntakePosition } from "../model/intake-position.ts";

export interface PositionStore {
  intakePosition(stream: string, since?: number): Promise<IntakePosition>;
  intakeReached(stream: string, at: number): Promise<void>;
}

/**
 * Runs are looked at again that ended up to so long before the position: clocks of clusters differ by minutes, a
 * controller writes the end of a run a little late, and Results shows it later still. A run that comes again is a repeat.
 */
const OVERLAP_MS = 3_600_000;
/** Writing it down more often would only save looking again. */
const WRITE_EVERY_MS = 30_000;

/** How far one stream of runs has been handled: kept in the store, so that it outlives the process. */
export class Position {
  readonly #store: PositionStore;
  readonly #stream: string;
  readonly #since: number | undefined;
  #known: IntakePosition | undefined;

  constructor(store: PositionStore, input: { stream: string; since: number | undefined }) {
    this.#store = store;
    this.#stream = input.stream;
    this.#since = input.since;
  }

  /** Runs that ended before this time are never taken; milliseconds. Rejects with `store-unavailable`. */
  async first(): Promise<number> {
    return (await this.#read()).first;
  }

  /** Runs that ended before this time were handled, or are never taken. As `first`. */
  async from(): Promise<number> {
    const { first, reached } = await this.#read();
    return Math.max(first, reached - OVERLAP_MS);
  }

  /** Every run that ended before `at` was handled. */
  async reached(at: number): Promise<void> {
    if (this.#known === undefined || at - this.#known.reached < WRITE_EVERY_MS) return;
    await this.#store.intakeReached(this.#stream, at);
    this.#known = { ...this.#known, reached: at };
  }

  async #read(): Promise<IntakePosition> {
    this.#known ??= await this.#store.intakePosition(this.#stream, this.#since);
    return this.#known;
  }
}
