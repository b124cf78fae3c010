import type { Clock } from "../model/ambient.ts";
import { type ApplicationRef, formatApplicationRef } from "../model/application.ts";

/** Deliveries look at their Applications every ten seconds at least. */
const FOLLOWED_MS = 60_000;

/** Which Applications somebody has asked for lately. */
export class Followed {
  readonly #clock: Clock;
  readonly #askedAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask(ref: ApplicationRef): void {
    const now = this.#clock.now();
    const key = formatApplicationRef(ref);
    this.#askedAt.delete(key);
    this.#askedAt.set(key, now);
    for (const [oldest, at] of this.#askedAt) {
      if (now - at <= FOLLOWED_MS) return;
      this.#askedAt.delete(oldest);
    }
  }

  isAsked(ref: ApplicationRef): boolean {
    const at = this.#askedAt.get(formatApplicationRef(ref));
    return at !== undefined && this.#clock.now() - at <= FOLLOWED_MS;
  }
}
