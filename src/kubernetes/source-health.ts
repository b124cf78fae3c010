import type { Clock } from "../model/ambient.ts";

/** What is known of one stream of objects: whether it ever was complete, and when it was last heard of. */
export class SourceHealth {
  readonly name: string;
  readonly #clock: Clock;
  readonly #staleMs: number;
  #listed = false;
  #heardAt = 0;
  #error: string | undefined;

  constructor(clock: Clock, name: string, staleMs: number) {
    this.#clock = clock;
    this.name = name;
    this.#staleMs = staleMs;
  }

  /** A complete list came: from now on what is not there does not exist. */
  listed(): void {
    this.#listed = true;
    this.heard();
  }

  /** An event, a bookmark, a heartbeat: what we hold was true just now. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#error = undefined;
  }

  failed(error: string): void {
    this.#error = error;
  }

  get complete(): boolean {
    return this.#listed;
  }

  get error(): string | undefined {
    return this.#error;
  }

  /** Milliseconds since it was last heard of; infinity before the first time. */
  ageMs(): number {
    return this.#listed ? this.#clock.now() - this.#heardAt : Number.POSITIVE_INFINITY;
  }

  get ok(): boolean {
    return this.#listed && this.ageMs() <= this.#staleMs;
  }

  /** One sentence without secrets. */
  get detail(): string {
    const error = this.#error === undefined ? "" : `: ${this.#error}`;
    if (!this.#listed) return `not listed yet${error}`;
    return `heard of ${Math.round(this.ageMs() / 1_000)} s ago${error}`;
  }
}
