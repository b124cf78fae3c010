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
const MAX_HANDLED = 20_000;
/** The daily traffic. */
const QUIET: readonly NothingReason[] = ["not-finished", "part-of-pipeline-run"];

/** Gives the runs of one cluster to the intake, each once, from wherever they were read. */
export class Offers {
  readonly #deps: OfferDeps;
  readonly #input: OfferInput;
  readonly #handled = new Set<string>();

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
      !this.#handled.has(run.uid) &&
      (namespaces.length === 0 || namespaces.includes(run.namespace)) &&
      Object.entries(labels).every(([key, value]) => run.labels[key] === value)
    );
  }

  /**
   * Resolves when the run is stored, or leads to nothing. While it cannot be stored it is tried again, without end: the
   * position that is behind it must not move on. Rejects only when aborted.
   */
  async offer(run: TektonRun, source: RunSource, signal: AbortSignal): Promise<void> {
    if (!this.isNews(run)) return;
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
        break;
      } catch (error) {
        if (!isTransient(error)) {
          // Whatever is wrong with this one must not hold up the others.
          counted(source, "refused");
          log.error("a run cannot be taken", { ...fields, error });
          break;
        }
        counted(source, "unavailable");
        log.warn("a run cannot be taken now", { ...fields, error: messageOf(error) });
        await ambient.clock.sleep(backoff.nextMs(), signal);
      }
    }
    this.#remember(run.uid);
  }

  async #take(run: TektonRun, signal: AbortSignal): ReturnType<OfferDeps["take"]> {
    const { cluster, runUrl } = this.#input;
    const reading = reportOf(run, { cluster, runUrl, now: this.#deps.ambient.clock.now() });
    if (reading.kind === "ignored") return nothing(reading.reason, reading.detail);
    return await this.#deps.take({ report: reading.report, subject: `tekton:${cluster}/${run.namespace}` }, signal);
  }

  #remember(uid: string): void {
    const [oldest] = this.#handled;
    if (this.#handled.size >= MAX_HANDLED && oldest !== undefined) this.#handled.delete(oldest);
    this.#handled.add(uid);
  }
}
