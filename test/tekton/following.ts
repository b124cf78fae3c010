import { systemAmbient } from "../../src/ambient.ts";
import type { BuildReport } from "../../src/model/build.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { openTekton } from "../../src/tekton/cluster.ts";
import type { Following, FollowLocation } from "../../src/tekton/follow.ts";
import { FakeKubernetesApi, type StoredRun } from "../fakes/kubernetes-api.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { FakeResultsApi } from "../fakes/results-api.ts";
import { recordedRun } from "./recordings.ts";
import { aCluster, SOURCE, tektonDeps } from "./samples.ts";

/** Runs that are followed by the real code on an API server and a Tekton Results over HTTP; only the intake is a list. */
export class FollowedCluster {
  readonly api: FakeKubernetesApi;
  readonly results: FakeResultsApi;
  readonly store = new MemoryStore(systemAmbient);
  /** Names of the runs that were taken, in order. */
  readonly taken: string[] = [];
  readonly reports: BuildReport[] = [];
  readonly counted: string[] = [];
  readonly logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  /** Thrown at whoever wants a run stored, while it is set. */
  failure: GitspanError | undefined;
  /** Names of runs that cannot be stored now. */
  readonly stuck = new Set<string>();
  following: Following | undefined;

  private constructor(api: FakeKubernetesApi, results: FakeResultsApi) {
    this.api = api;
    this.results = results;
  }

  static async start(): Promise<FollowedCluster> {
    return new FollowedCluster(await FakeKubernetesApi.start(), await FakeResultsApi.start());
  }

  async follow(options: Partial<FollowLocation> = {}): Promise<Following> {
    const kubernetes = { kind: "kubeconfig", file: this.api.kubeconfigFile, context: undefined } as const;
    const { namespaces = [], ...watch } = options;
    const location = aCluster({
      kubernetes,
      namespaces: [...namespaces],
      watch: { labels: {}, since: undefined, results: undefined, ...watch },
    });
    const { following } = await openTekton({ ...tektonDeps, follow: this.#deps() }, location);
    if (following === undefined) throw new Error("nothing is followed");
    this.following = following;
    return following;
  }

  get resultsLocation() {
    return { url: this.results.url, token: async () => this.results.token, caFile: undefined };
  }

  async stop(): Promise<void> {
    await this.following?.close();
    this.following = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await Promise.all([this.api.close(), this.results.close()]);
  }

  #deps() {
    const write =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}): void =>
        void this.logged.push({ level, message, fields });
    return {
      ambient: systemAmbient,
      log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
      take: async ({ report, subject }: { report: BuildReport; subject: string }) => {
        if (this.failure !== undefined) throw this.failure;
        if (this.stuck.has(report.run?.name ?? "")) throw unavailable();
        const kind = this.taken.includes(report.run?.name ?? "") ? ("repeat" as const) : ("accepted" as const);
        if (kind === "accepted") this.taken.push(report.run?.name ?? "");
        this.reports.push(report);
        return { kind, subject };
      },
      counted: (source: string, outcome: string) => void this.counted.push(`${source} ${outcome}`),
      positions: this.store,
    };
  }
}

let last = 0;

/** A recorded run that succeeded, as another one that ended at `endedAt` (milliseconds). */
export function endedRun(name: string, endedAt = Date.now(), change: Record<string, unknown> = {}): StoredRun {
  const run = structuredClone(recordedRun("pipelinerun-successful")) as unknown as StoredRun & {
    status: { conditions: Record<string, unknown>[]; completionTime: string };
  };
  const uid = `00000000-0000-4000-8000-${String(++last).padStart(12, "0")}`;
  Object.assign(run.metadata, { name, uid, annotations: { "gitspan.dev/source-repository": SOURCE }, ...change });
  run.status.completionTime = new Date(endedAt).toISOString();
  return run;
}

/** The same run while it is going on. */
export function goingOn(run: StoredRun): StoredRun {
  const conditions = [{ type: "Succeeded", status: "Unknown", reason: "Running" }];
  return { ...run, status: { conditions } };
}

export function unavailable(): GitspanError {
  return new GitspanError("store-unavailable", "the store is away", { transient: true });
}
