import type { Clock } from "../../../src/model/ambient.ts";
import { type ApplicationState, type KubernetesObject, toObject } from "./application-object.ts";
import { Controller, type Durations } from "./controller.ts";
import type { Branch } from "./kustomization.ts";
import { Schedule } from "./schedule.ts";

export interface SimulatedApplication {
  name: string;
  /** `argocd` if absent. */
  namespace?: string;
  repoURL: string;
  branch: string;
  path: string;
  /** Automatic sync; on if absent. */
  automated?: boolean;
  /** `default` if absent. */
  project?: string;
  annotations?: Readonly<Record<string, string>>;
}

export interface WorldDeps {
  clock: Clock;
  /** What a branch of the one GitOps repository holds now. */
  read(branch: string, repoURL: string): Promise<Branch>;
}

export interface WorldOptions {
  applications: readonly SimulatedApplication[];
  durations?: Partial<Durations>;
  /** First resourceVersion. */
  firstVersion?: number;
}

export interface WorldEvent {
  version: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubernetesObject;
}

/** Compressed: a roll-out takes about two seconds, a broken one three. */
export const DURATIONS: Durations = {
  pollMs: 10_000,
  compareMs: 60,
  operationMs: 400,
  rolloutMs: 2_000,
  oldPodsMs: 500,
  deadlineMs: 3_000,
};

/**
 * SIMULATED Argo CD: Applications of one cluster that follow branches of a real repository, in the order and shape
 * that a real Argo CD 3.2 was recorded with (test/golden/argocd). Nothing runs; Pods are words.
 * Time passes only in `advance`, up to the clock's now, so that it runs on a virtual clock as well.
 */
export class World {
  readonly #deps: WorldDeps;
  readonly #schedule = new Schedule();
  readonly #states = new Map<string, ApplicationState>();
  readonly #listeners = new Set<(event: WorldEvent) => void>();
  readonly #controller: Controller;
  #events: WorldEvent[] = [];
  #version: number;
  #compactedTo = 0;
  #advancing: Promise<void> = Promise.resolve();
  #controllerUp = true;

  constructor(deps: WorldDeps, options: WorldOptions) {
    this.#deps = deps;
    this.#version = options.firstVersion ?? 1_000;
    const durations = { ...DURATIONS, ...options.durations };
    this.#controller = new Controller({
      clock: deps.clock,
      read: deps.read,
      schedule: this.#schedule,
      durations,
      write: (state) => this.#write("MODIFIED", state),
    });
    for (const application of options.applications) {
      const state = this.#controller.create(application, this.#states.size + 1);
      this.#states.set(key(state.namespace, state.name), state);
      this.#write("ADDED", state);
    }
  }

  /** Lets time pass up to now. Calls queue up; each resolves when everything due has happened. */
  async advance(): Promise<void> {
    const before = this.#advancing;
    const run = async (): Promise<void> => {
      await before;
      if (this.#controllerUp) await this.#schedule.runUntil(this.#deps.clock.now());
    };
    const running = run();
    this.#advancing = running.catch(() => undefined);
    await running;
  }

  /** When something happens next by itself. */
  nextAt(): number {
    return this.#controllerUp ? this.#schedule.nextAt() : Number.POSITIVE_INFINITY;
  }

  list(namespace?: string): KubernetesObject[] {
    return [...this.#states.values()]
      .filter((state) => namespace === undefined || state.namespace === namespace)
      .map(toObject);
  }

  get(namespace: string, name: string): KubernetesObject | undefined {
    const state = this.#states.get(key(namespace, name));
    return state === undefined ? undefined : toObject(state);
  }

  get version(): number {
    return this.#version;
  }

  /** Events after a version, or undefined when some of them are no longer kept. */
  eventsAfter(version: number): WorldEvent[] | undefined {
    return version < this.#compactedTo ? undefined : this.#events.filter((event) => event.version > version);
  }

  onEvent(listener: (event: WorldEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As the refresh annotation does it; false when there is no such Application. */
  refresh(namespace: string, name: string, kind = "normal"): boolean {
    const state = this.#states.get(key(namespace, name));
    if (state === undefined) return false;
    this.#controller.requestRefresh(state, kind);
    return true;
  }

  /** As somebody pressing "Sync" does it. */
  sync(namespace: string, name: string): "started" | "busy" | "missing" {
    const state = this.#states.get(key(namespace, name));
    if (state === undefined) return "missing";
    return this.#controller.requestSync(state, false) ? "started" : "busy";
  }

  /** As somebody pressing "Terminate" does it; false when nothing runs. */
  terminate(namespace: string, name: string): boolean {
    const state = this.#states.get(key(namespace, name));
    return state !== undefined && this.#controller.terminate(state);
  }

  /** As somebody editing the Application does it. */
  annotate(namespace: string, name: string, annotations: Readonly<Record<string, string>>): void {
    const state = this.#states.get(key(namespace, name));
    if (state === undefined) return;
    state.annotations = annotations;
    this.#write("MODIFIED", state);
  }

  delete(namespace: string, name: string): void {
    const state = this.#states.get(key(namespace, name));
    if (state === undefined) return;
    this.#states.delete(key(namespace, name));
    this.#controller.forget(state);
    this.#write("DELETED", state);
  }

  /** Forgets old events, as etcd's compaction does: watches from before get 410. */
  compact(): void {
    this.#compactedTo = this.#version;
    this.#events = [];
  }

  /** Stops and starts the application controller: requests stay unanswered meanwhile. */
  setController(up: boolean): void {
    this.#controllerUp = up;
  }

  #write(type: WorldEvent["type"], state: ApplicationState): void {
    this.#version += 1;
    state.resourceVersion = this.#version;
    state.generation += 1;
    const event: WorldEvent = { version: this.#version, type, object: toObject(state) };
    this.#events.push(event);
    if (this.#events.length > 2_000) this.#compactedTo = this.#events.shift()?.version ?? this.#compactedTo;
    for (const listener of this.#listeners) listener(event);
  }
}

function key(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
