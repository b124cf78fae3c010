import type { Clock } from "../../../src/model/ambient.ts";
import type { ApplicationState } from "./application-object.ts";
import { type Branch, RenderError, renderImages } from "./kustomization.ts";
import type { Schedule } from "./schedule.ts";
import type { SimulatedApplication } from "./world.ts";

/** Milliseconds. */
export interface Durations {
  /** Between two comparisons that nobody asked for. */
  pollMs: number;
  /** From a refresh to its answer. */
  compareMs: number;
  operationMs: number;
  /** From applied to Healthy. */
  rolloutMs: number;
  /** How long Pods of the old image are still listed after Healthy. */
  oldPodsMs: number;
  /** From applied to Degraded for an image whose tag contains "crash". */
  deadlineMs: number;
}

export interface ControllerDeps {
  clock: Clock;
  read(branch: string, repoURL: string): Promise<Branch>;
  schedule: Schedule;
  durations: Durations;
  /** Stores a version of the Application. */
  write(state: ApplicationState): void;
}

/** Between two writes that follow each other at once; the order is the recordings'. */
const STEP_MS = 20;

/** What the application controller does to one Application after another. */
export class Controller {
  readonly #deps: ControllerDeps;
  /** Applications with a comparison under way: a further refresh is dropped, as Argo CD up to 3.5 does. */
  readonly #comparing = new Set<ApplicationState>();
  readonly #gone = new Set<ApplicationState>();
  /** Grows with every operation: later steps of an older roll-out do nothing. */
  readonly #rollouts = new Map<ApplicationState, number>();
  /** Images of the revision compared last, and images that Pods were last ready with. */
  readonly #rendered = new Map<ApplicationState, string[]>();
  readonly #ready = new Map<ApplicationState, string[]>();
  /** Applications whose first comparison adopts what Git holds as running. */
  readonly #fresh = new Set<ApplicationState>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
  }

  create(application: SimulatedApplication, number: number): ApplicationState {
    const now = this.#deps.clock.now();
    const state: ApplicationState = {
      name: application.name,
      namespace: application.namespace ?? "argocd",
      uid: `51a0c0de-0000-4000-8000-${String(number).padStart(12, "0")}`,
      project: application.project ?? "default",
      repoURL: application.repoURL,
      branch: application.branch,
      path: application.path,
      automated: application.automated ?? true,
      createdAt: second(now),
      generation: 0,
      resourceVersion: 0,
      refresh: undefined,
      annotations: application.annotations ?? {},
      // As recorded of an Application that never rendered: Unknown, the branch's name, and Healthy.
      sync: { status: "Unknown", revision: application.branch },
      health: { status: "Healthy", since: second(now) },
      reconciledAt: undefined,
      requested: undefined,
      operation: undefined,
      conditions: [],
      applied: [],
      running: [],
      history: [],
    };
    this.#fresh.add(state);
    this.#deps.schedule.add(now, (at) => this.#compare(state, at, true));
    this.#poll(state, now + this.#deps.durations.pollMs);
    return state;
  }

  forget(state: ApplicationState): void {
    this.#gone.add(state);
  }

  requestRefresh(state: ApplicationState, kind: string): void {
    state.refresh = kind;
    this.#deps.write(state);
    if (this.#comparing.has(state)) return;
    this.#comparing.add(state);
    const { clock, durations, schedule } = this.#deps;
    schedule.add(clock.now() + durations.compareMs, (at) => this.#compare(state, at, true));
  }

  /** False while another operation is in progress. */
  requestSync(state: ApplicationState, automated: boolean, at = this.#deps.clock.now()): boolean {
    if (state.requested !== undefined) return false;
    // Setting the operation clears what was known of the last one.
    state.requested = { revision: state.sync.revision, automated };
    state.operation = undefined;
    this.#deps.write(state);
    this.#deps.schedule.add(at + 2 * STEP_MS, (then) => this.#operate(state, then));
    return true;
  }

  /** The running operation fails; what it has applied stays. */
  terminate(state: ApplicationState): boolean {
    const { operation } = state;
    if (operation?.phase !== "Running") return false;
    const finishedAt = second(this.#deps.clock.now());
    Object.assign(operation, { phase: "Failed", message: "Operation terminated", finishedAt });
    state.requested = undefined;
    this.#deps.write(state);
    return true;
  }

  #poll(state: ApplicationState, at: number): void {
    this.#deps.schedule.add(at, async () => {
      if (this.#gone.has(state)) return;
      if (!this.#comparing.has(state)) await this.#compare(state, at, false);
      // After a long sleep of a virtual clock the polls between are not made up for.
      this.#poll(
        state,
        Math.max(at, this.#deps.clock.now() - this.#deps.durations.pollMs) + this.#deps.durations.pollMs,
      );
    });
  }

  async #compare(state: ApplicationState, at: number, forced: boolean): Promise<void> {
    this.#comparing.delete(state);
    if (this.#gone.has(state)) return;
    let branch: Branch;
    let images: string[];
    try {
      branch = await this.#deps.read(state.branch, state.repoURL);
      images = await renderImages(branch, state.path);
    } catch (error) {
      // Polling hides errors for 180 s (recordings d2, d3): only a forced refresh shows them.
      if (forced) this.#unrenderable(state, at, error);
      return;
    }
    // An operation in progress goes on with what it began with.
    if (state.requested === undefined) this.#rendered.set(state, images);
    if (this.#fresh.delete(state)) this.#adopt(state, at, branch.sha, images);
    const differs = images.join() !== state.applied.join();
    const starts = differs && state.automated && state.requested === undefined && this.#mayRetry(state, branch.sha);
    if (starts) {
      // Recorded first: the operation, while the revision is still the old one and the annotation still there.
      state.requested = { revision: branch.sha, automated: true };
      state.operation = undefined;
      this.#deps.write(state);
    }
    const before = JSON.stringify([state.sync, state.conditions, state.refresh]);
    state.sync = { status: differs ? "OutOfSync" : "Synced", revision: branch.sha };
    state.conditions = [];
    state.refresh = undefined;
    state.reconciledAt = second(at);
    if (forced || JSON.stringify([state.sync, state.conditions, state.refresh]) !== before) this.#deps.write(state);
    if (starts) this.#deps.schedule.add(at + STEP_MS, (then) => this.#operate(state, then));
  }

  /** Automatic sync tries a revision once; another one it has not tried yet. */
  #mayRetry(state: ApplicationState, sha: string): boolean {
    return state.operation?.revision !== sha;
  }

  #adopt(state: ApplicationState, at: number, revision: string, images: string[]): void {
    state.applied = images;
    state.running = images;
    this.#ready.set(state, images);
    const when = second(at);
    const message = "successfully synced (all tasks run)";
    state.operation = {
      phase: "Succeeded",
      message,
      revision,
      automated: true,
      startedAt: when,
      finishedAt: when,
      images,
    };
    state.history = [{ revision, startedAt: when, deployedAt: when }];
  }

  #unrenderable(state: ApplicationState, at: number, error: unknown): void {
    const message =
      error instanceof RenderError
        ? error.message
        : `Failed to load target state: rpc error: code = Unavailable desc = ${String(error)}`;
    state.sync = { status: "Unknown", revision: state.branch };
    state.conditions = [{ type: "ComparisonError", message, lastTransitionTime: second(at) }];
    state.refresh = undefined;
    state.reconciledAt = second(at);
    this.#deps.write(state);
  }

  #operate(state: ApplicationState, at: number): void {
    const { requested } = state;
    if (this.#gone.has(state) || requested === undefined) return;
    state.operation = {
      phase: "Running",
      message: "",
      revision: requested.revision,
      automated: requested.automated,
      startedAt: second(at),
      finishedAt: undefined,
      images: undefined,
    };
    this.#deps.write(state);
    const images = this.#rendered.get(state) ?? state.applied;
    this.#deps.schedule.add(at + this.#deps.durations.operationMs, (then) => this.#applied(state, then, images));
  }

  #applied(state: ApplicationState, at: number, images: string[]): void {
    const { operation } = state;
    if (this.#gone.has(state) || operation?.phase !== "Running") return;
    const old = this.#ready.get(state) ?? [];
    Object.assign(operation, {
      phase: "Succeeded",
      message: "successfully synced (all tasks run)",
      finishedAt: second(at),
      images,
    });
    state.requested = undefined;
    state.applied = images;
    state.history = [
      ...state.history,
      { revision: operation.revision, startedAt: operation.startedAt, deployedAt: second(at) },
    ].slice(-10);
    this.#deps.write(state);
    const rollout = (this.#rollouts.get(state) ?? 0) + 1;
    this.#rollouts.set(state, rollout);
    const later = (ms: number, run: (then: number) => void): void => {
      this.#deps.schedule.add(at + ms, (then) => {
        if (this.#gone.has(state) || this.#rollouts.get(state) !== rollout) return;
        run(then);
        this.#deps.write(state);
      });
    };
    later(STEP_MS, (then) => {
      state.sync.status = "Synced";
      setHealth(state, "Progressing", then);
    });
    later(2 * STEP_MS, (then) => {
      state.running = union(old, images);
      state.reconciledAt = second(then);
    });
    this.#rollOut(images, old, later, state);
  }

  #rollOut(
    images: string[],
    old: string[],
    later: (ms: number, run: (then: number) => void) => void,
    state: ApplicationState,
  ): void {
    const { rolloutMs, oldPodsMs, deadlineMs } = this.#deps.durations;
    if (images.some((image) => /:[^/@]*crash/.test(image))) {
      later(3 * STEP_MS + deadlineMs, (then) => setHealth(state, "Degraded", then));
      return;
    }
    // Pods of the version before the crash never went away: going back to it is quick.
    const readyMs = 3 * STEP_MS + (images.every((image) => old.includes(image)) ? STEP_MS : rolloutMs);
    later(readyMs, (then) => {
      setHealth(state, "Healthy", then);
      this.#ready.set(state, images);
    });
    later(readyMs + oldPodsMs, () => {
      state.running = images;
    });
  }
}

function setHealth(state: ApplicationState, status: string, at: number): void {
  if (state.health.status !== status) state.health = { status, since: second(at) };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].toSorted();
}

/** Argo CD's times have whole seconds. */
function second(ms: number): string {
  return new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
}
