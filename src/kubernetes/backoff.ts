import type { Random } from "../model/ambient.ts";

const FIRST_MS = 500;

/** Waits that double up to `maxMs`, each between half and all of it, so that replicas do not come back together. */
export class Backoff {
  readonly #random: Random;
  readonly #maxMs: number;
  #failures = 0;

  constructor(random: Random, maxMs = 30_000) {
    this.#random = random;
    this.#maxMs = maxMs;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** Milliseconds to wait after one more failure. */
  nextMs(): number {
    const full = Math.min(this.#maxMs, FIRST_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return full * (0.5 + this.#random.next() / 2);
  }
}
