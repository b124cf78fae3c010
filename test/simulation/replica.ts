import type { Clock, Random } from "../../src/model/ambient.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface Weather {
  /** Chance that the process dies at one await. */
  crash: number;
  /** Chance that it stands still for longer than a lease at one await. */
  stall: number;
  /** Longest ordinary answer, milliseconds. */
  latencyMs: number;
}

export interface ReplicaDeps {
  name: string;
  time: VirtualTime;
  random: Random;
  weather: () => Weather;
  trace: (line: string) => void;
  onCrash: () => void;
}

/**
 * One process of the bridge. It reaches the world only through wrapped ports: each call costs time before and after
 * its effect, and at each of these awaits the process may stall or die. A dead process never goes on: its promises
 * stay pending for ever, exactly as those of a killed one.
 */
export class Replica {
  readonly name: string;
  readonly clock: Clock;
  #deps: ReplicaDeps;
  #alive = true;

  constructor(deps: ReplicaDeps) {
    this.name = deps.name;
    this.#deps = deps;
    this.clock = {
      now: () => deps.time.now(),
      sleep: async (ms, signal) => {
        await deps.time.sleep(ms, signal);
        await this.#alivePoint();
      },
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  crash(where: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#deps.trace(`${this.name} dies at ${where}`);
    this.#deps.onCrash();
  }

  /** Wraps every asynchronous method of a port; `direct` ones are pure and stay as they are. */
  port<T extends object>(label: string, target: T, direct: readonly string[] = []): T {
    return new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property);
        if (typeof value !== "function" || typeof property !== "string") return value;
        const method = value.bind(object) as (...args: unknown[]) => unknown;
        if (direct.includes(property)) return method;
        return (...args: unknown[]) => this.#call(`${label}.${property}`, () => method(...args));
      },
    });
  }

  async #call(where: string, effect: () => unknown): Promise<unknown> {
    await this.#pass(`before ${where}`);
    let result: unknown;
    try {
      result = await effect();
    } catch (error) {
      await this.#pass(`after failed ${where}`);
      throw error;
    }
    await this.#pass(`after ${where}`);
    return result;
  }

  async #pass(where: string): Promise<void> {
    const { time, random, weather } = this.#deps;
    const { crash, stall, latencyMs } = weather();
    if (random.next() < crash) this.crash(where);
    await this.#alivePoint();
    const stalls = random.next() < stall;
    if (stalls) this.#deps.trace(`${this.name} stalls at ${where}`);
    await time.sleep(stalls ? 12_000 + random.next() * 20_000 : random.next() * latencyMs);
    await this.#alivePoint();
  }

  async #alivePoint(): Promise<void> {
    if (!this.#alive) await new Promise(() => {});
  }
}
