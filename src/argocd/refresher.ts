import { withTimeLimit } from "../kubernetes/time-limit.ts";
import type { ApplicationRef } from "../model/application.ts";
import { formatApplicationRef } from "../model/application.ts";
import type { ArgoCdDeps } from "./deps.ts";
import { ARGOCD } from "./trouble.ts";

/** A comparison takes about 60 ms; longer than this nobody waits for its end. */
const PATIENCE_MS = 2_000;
/** A request is let go then: the controller is down, or the queue is long. The refresh itself stays requested. */
const LONGEST_MS = 30_000;
/** A second refresh so soon after the first is dropped silently more often than not (recorded), and tells nothing new. */
const GAP_MS = 1_000;
/** Each is a `git ls-remote` and a rendering on Argo CD's side. */
const AT_ONCE = 10;

export type RefreshCall = (ref: ApplicationRef, signal: AbortSignal) => Promise<void>;

/** One refresh at a time per Application and no more than one a second, ten at a time in all. */
export class Refresher {
  readonly #deps: ArgoCdDeps;
  readonly #call: RefreshCall;
  readonly #running = new Map<string, Promise<void>>();
  /** When the last one that was answered had begun. */
  readonly #begun = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #free = AT_ONCE;

  constructor(deps: ArgoCdDeps, call: RefreshCall) {
    this.#deps = deps;
    this.#call = call;
  }

  /** Resolves when the request is made: when it is answered, or after two seconds. Rejects with its refusal. */
  async refresh(ref: ApplicationRef, lifetime: AbortSignal, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const key = formatApplicationRef(ref);
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#start(ref, lifetime).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
      // Whoever gave up waiting does not hear of a late failure; the judge asks again.
      running.catch(() => undefined);
    }
    const patience = new AbortController();
    const enough = this.#deps.ambient.clock
      .sleep(PATIENCE_MS, AbortSignal.any([signal, patience.signal]))
      .catch(() => signal.throwIfAborted());
    try {
      await Promise.race([running, enough]);
    } finally {
      patience.abort();
    }
  }

  async #start(ref: ApplicationRef, lifetime: AbortSignal): Promise<void> {
    const early = (this.#begun.get(formatApplicationRef(ref)) ?? 0) + GAP_MS - this.#deps.ambient.clock.now();
    // Whoever else asks meanwhile is served by this one.
    if (early > 0) await this.#deps.ambient.clock.sleep(early, lifetime);
    await this.#turn();
    try {
      const limit = {
        ms: LONGEST_MS,
        message: "Argo CD did not answer a refresh in time",
        signal: lifetime,
        trouble: ARGOCD,
      };
      const { clock } = this.#deps.ambient;
      const begun = clock.now();
      await withTimeLimit(clock, limit, async (limited) => this.#call(ref, limited));
      this.#remember(formatApplicationRef(ref), begun);
    } finally {
      this.#free += 1;
      this.#waiting.shift()?.();
    }
  }

  /** Old entries go with the next new one. */
  #remember(key: string, begun: number): void {
    this.#begun.delete(key);
    this.#begun.set(key, begun);
    for (const [other, at] of this.#begun) {
      if (begun - at < GAP_MS) return;
      this.#begun.delete(other);
    }
  }

  async #turn(): Promise<void> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
  }
}
