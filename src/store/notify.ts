import type { Client } from "pg";
import type { Clock } from "../model/ambient.ts";
import { messageOf } from "../model/errors.ts";
import type { StoreLog } from "./log.ts";

const CHANNEL = "gitspan_changed";
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;

export interface ChangesDeps {
  clock: Clock;
  log: StoreLog;
  /** A new connection of its own for LISTEN. */
  makeClient(): Client;
  notify(statement: string): Promise<void>;
}

/**
 * Wakes those who wait for a change: in this process at once, in others through NOTIFY and one LISTEN connection.
 * It only wakes; where LISTEN does not work (a transaction pooler, a lost connection) the waiters' own timeout remains.
 */
export class Changes {
  readonly #deps: ChangesDeps;
  readonly #waiters = new Set<() => void>();
  readonly #closing = new AbortController();
  #listening: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #isUnsent = false;

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
  }

  /** Many changes in a row become few notifications. */
  changed(): void {
    this.#wake();
    this.#isUnsent = true;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Resolves at a change or after `timeoutMs`; rejects with the signal's reason when aborted. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) return;
    this.#listening ??= this.#listen();
    const over = new AbortController();
    const woken = Promise.withResolvers<void>();
    this.#waiters.add(woken.resolve);
    try {
      const timeout = this.#deps.clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal]));
      await Promise.race([woken.promise, timeout]);
    } finally {
      this.#waiters.delete(woken.resolve);
      over.abort();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await Promise.all([this.#listening, this.#sending]);
  }

  #wake(): void {
    for (const resolve of this.#waiters) resolve();
  }

  async #send(): Promise<void> {
    while (this.#isUnsent) {
      this.#isUnsent = false;
      try {
        await this.#deps.notify(`notify ${CHANNEL}`);
      } catch (error) {
        this.#deps.log.debug("notification of other processes failed", { error: messageOf(error) });
      }
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = RETRY_MIN_MS;
    while (!signal.aborted) {
      try {
        await this.#listenOnce(signal, () => {
          delayMs = RETRY_MIN_MS;
        });
      } catch (error) {
        this.#deps.log.debug("listening for changes failed; polling goes on", { error: messageOf(error) });
      }
      await this.#deps.clock.sleep(delayMs, signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
    }
  }

  /** Ends when the connection does or the signal says so. */
  async #listenOnce(signal: AbortSignal, onListening: () => void): Promise<void> {
    const client = this.#deps.makeClient();
    const ended = Promise.withResolvers<void>();
    const stop = (): void => ended.resolve();
    client.on("error", stop);
    client.on("end", stop);
    client.on("notification", () => this.#wake());
    signal.addEventListener("abort", stop);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      onListening();
      // Whatever was committed while nobody listened.
      this.#wake();
      await ended.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      await client.end().catch(() => undefined);
    }
  }
}
