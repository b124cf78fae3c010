import { Backoff } from "../kubernetes/backoff.ts";
import type { Clock, Random } from "../model/ambient.ts";
import type { BuildReport } from "../model/build.ts";
import { isTransient, messageOf } from "../model/errors.ts";
import { type NothingReason, nothing, reportOf } from "./report.ts";
import type { TektonRun } from "./run.ts";

/** What became of a run; `refused`: it can never be taken, `unavailable`: not now. */
export type OfferOutcome = "accepted" | "repeat" | "ignored" | "refused" | "unavailable";
export type RunSource = "tekton-watch" | "tekton-results";

export interface OfferDeps {
  ambient: { clock: Clock; random: Random };
  log: {
    debug(message: string, fields?: Record<string, unknown>): void;
    info(message: string, fields?: Record<string, unknown>): void;
    warn(message: string, fields?: Record<string, unknown>): void;
    error(message: string, fields?: Record<string, unknown>): void;
  };
  /** Stores the build; resolves when it is durable, with why there was nothing to store. */
  take(
    build: { report: BuildReport; subject: string },
    signal: AbortSignal,
  ): Promise<{ kind: "accepted" | "repeat" | "ignored"; reason?: string; detail?: string }>;
  counted(source: RunSource, outcome: OfferOutcome): void;
}

export interface OfferInput {
  cluster: string;
  /** Namespaces whose runs count; empty: all. */
  namespaces: readonly string[];
  /** Labels that a run must have. */
  labels: Readonly<Record<string, string>>;
  runUrl: string | undefined;
}

/** Runs annotated after their end come again and again. */
const MAX_OFFERED = 20_000;
/** With more than these nothing more is read until one of them is taken. */
const MAX_UNDER_WAY = 500;
/** The daily traffic. */
const QUIET: readonly NothingReason[] = ["not-finished", "part-of-pipeline-run"];

/** Gives the runs of one cluster to the intake, each once, from wherever they were read. */
export class Offers {
  readonly #deps: OfferDeps;
  readonly #input: OfferInput;
  /** Uids of runs that are taken, or on their way. */
  readonly #offered = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(deps: OfferDeps, input: OfferInput) {
    this.#deps = deps;
    this.#input = input;
  }

  /** Whether there is any sense in offering it: it succeeded, it is one of ours, and it has not been offered. */
  isNews(run: TektonRun): boolean {
    const { namespaces, labels } = this.#input;
    return (
      run.state === "succeeded" &&
      run.uid !== "" &&
      !this.#offered.has(run.uid) &&
      (namespaces.length === 0 || namespaces.includes(run.namespace)) &&
      Object.entries(labels).every(([key, value]) => run.labels[key] === value)
    );
  }

  /** Nothing is under way: whatever was offered is stored, or leads to nothing. */
  get isClear(): boolean {
    return this.#underWay.size === 0;
  }

  /** Resolves when nothing that is under way now is any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /**
   * Resolves when the run is stored, leads to nothing, or has to be tried again: then that goes on by itself, without end, so
   * that one which waits for its registry holds up no other. Rejects when aborted.
   */
  async offer(run: TektonRun, source: RunSource, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isNews(run)) return;
    this.#remember(run.uid);
    const first = Promise.withResolvers<void>();
    const working = this.#untilTaken(run, { source, signal, tried: first.resolve });
    const underWay = working
      .catch(() => undefined)
      .finally(() => {
        this.#underWay.delete(underWay);
        first.resolve();
      });
    this.#underWay.add(underWay);
    await (this.#underWay.size > MAX_UNDER_WAY ? underWay : first.promise);
    signal.throwIfAborted();
  }

  async #untilTaken(
    run: TektonRun,
    { source, signal, tried }: { source: RunSource; signal: AbortSignal; tried: () => void },
  ): Promise<void> {
    const { ambient, log, counted } = this.#deps;
    const fields = { source, cluster: this.#input.cluster, namespace: run.namespace, run: run.name };
    const backoff = new Backoff(ambient.random);
    for (;;) {
      signal.throwIfAborted();
      try {
        const { kind, reason, detail } = await this.#take(run, signal);
        counted(source, kind);
        const isQuiet = kind === "repeat" || QUIET.some((each) => each === reason);
        log[isQuiet ? "debug" : "info"]("run taken", { ...fields, result: kind, reason, detail });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isTransient(error)) {
          // Whatever is wrong with this one must not hold up the others.
          counted(source, "refused");
          log.error("a run cannot be taken", { ...fields, error });
          return;
        }
        counted(source, "unavailable");
        log.warn("a run cannot be taken now", { ...fields, error: messageOf(error) });
        tried();
        await ambient.clock.sleep(backoff.nextMs(), signal);
      }
    }
  }

  async #take(run: TektonRun, signal: AbortSignal): ReturnType<OfferDeps["take"]> {
    const { cluster, runUrl } = this.#input;
    const reading = reportOf(run, { cluster, runUrl, now: this.#deps.ambient.clock.now() });
    if (reading.kind === "ignored") return nothing(reading.reason, reading.detail);
    return await this.#deps.take({ report: reading.report, subject: `tekton:${cluster}/${run.namespace}` }, signal);
  }

  #remember(uid: string): void {
    const [oldest] = this.#offered;
    if (this.#offered.size >= MAX_OFFERED && oldest !== undefined) this.#offered.delete(oldest);
    this.#offered.add(uid);
  }
}
