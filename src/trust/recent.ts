import type { Clock } from "../model/ambient.ts";

/** Answers that are good for a moment: whoever asks meanwhile, or while the answer is on its way, gets the same one. */
export class Recent<T> {
  readonly #clock: Clock;
  readonly #limits: { ms: number; entries: number };
  readonly #answers = new Map<string, { at: number; answer: Promise<T> }>();

  constructor(clock: Clock, limits: { ms: number; entries: number }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** A failure is not kept. */
  async get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && this.#clock.now() - known.at < this.#limits.ms) return await known.answer;
    this.#forget();
    const entry = { at: this.#clock.now(), answer: ask() };
    this.#answers.set(key, entry);
    try {
      return await entry.answer;
    } catch (error) {
      if (this.#answers.get(key) === entry) this.#answers.delete(key);
      throw error;
    }
  }

  /** What is too old, and the oldest of too many: a Map iterates in order of insertion. */
  #forget(): void {
    const now = this.#clock.now();
    for (const [key, { at }] of this.#answers) {
      if (now - at < this.#limits.ms && this.#answers.size < this.#limits.entries) break;
      this.#answers.delete(key);
    }
  }
}
