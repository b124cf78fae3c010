import type { ArgoCd } from "../../src/delivery/ports.ts";
import {
  type ApplicationRef,
  type ApplicationSnapshot,
  formatApplicationRef,
  type Inspection,
  type InspectionKind,
} from "../../src/model/application.ts";
import { GitspanError } from "../../src/model/errors.ts";
import type { JudgeInput, Judgement } from "../../src/model/judgement.ts";
import type { Verdict } from "../../src/model/observation.ts";

export function applicationRef(name: string, cluster = "main"): ApplicationRef {
  return { cluster, namespace: "argocd", name };
}

/** An Argo CD that says what a test tells it to; every Application it knows is found for every file. */
export class ScriptedArgoCd implements ArgoCd {
  readonly judged: JudgeInput[] = [];
  readonly refreshed: string[] = [];
  readonly inspected: string[] = [];
  /** Clusters that cannot be reached. */
  readonly unreachable = new Set<string>();
  refreshFails = false;
  readonly terminated: string[] = [];
  terminateFails = false;
  /** Applications that have turned Degraded lately, and how many there are. */
  sickOnes: ApplicationRef[] = [];
  total = 10;
  wantsRefresh = false;
  wantsInspection = false;
  finds = 0;
  readonly #snapshots = new Map<string, ApplicationSnapshot>();
  readonly #verdicts = new Map<string, Verdict>();

  /** Makes or changes an Application: what the judge will say of it, and the revision that it compared. */
  says(ref: ApplicationRef, verdict: Pick<Verdict, "state" | "reason">, over: Partial<ApplicationSnapshot> = {}): void {
    const key = formatApplicationRef(ref);
    this.#snapshots.set(key, { ...snapshotOf(ref, this.#snapshots.size + 1), ...over });
    this.#verdicts.set(key, { ...verdict, message: `${ref.name} is ${verdict.state}`, evidence: [] });
  }

  delete(ref: ApplicationRef): void {
    this.#snapshots.delete(formatApplicationRef(ref));
  }

  async find({ paths }: { paths: readonly string[] }): Promise<Map<string, ApplicationRef[]>> {
    const refs = [...this.#snapshots.values()].map(({ ref }) => ref);
    for (const ref of refs) this.#reach(ref);
    this.finds++;
    return new Map(paths.map((path) => [path, refs]));
  }

  async annotated(): Promise<ApplicationSnapshot[]> {
    return [];
  }

  async snapshots(ref: ApplicationRef): Promise<ApplicationSnapshot[]> {
    this.#reach(ref);
    const snapshot = this.#snapshots.get(formatApplicationRef(ref));
    return snapshot === undefined ? [] : [snapshot];
  }

  async terminate(ref: ApplicationRef): Promise<void> {
    if (this.terminateFails) throw new GitspanError("argocd-forbidden", "may not sync applications");
    this.terminated.push(ref.name);
  }

  async sick(): Promise<{ total: number; degraded: ApplicationRef[] }> {
    return { total: this.total, degraded: this.sickOnes };
  }

  async refresh(ref: ApplicationRef): Promise<void> {
    if (this.refreshFails) throw new GitspanError("argocd-forbidden", "may not get applications");
    this.refreshed.push(ref.name);
  }

  async inspect(ref: ApplicationRef, kind: InspectionKind): Promise<Inspection> {
    this.inspected.push(`${kind} of ${ref.name}`);
    return { kind };
  }

  judge(input: JudgeInput): Judgement {
    this.judged.push(input);
    const verdict = this.#verdicts.get(formatApplicationRef(input.snapshot.ref));
    if (verdict === undefined) throw new Error("nothing was said of this Application");
    const memory = { ...input.memory, resourceVersion: input.snapshot.resourceVersion };
    return {
      verdict,
      memory,
      refresh: this.wantsRefresh,
      ...(this.wantsInspection ? { inspect: "workloads" as const } : {}),
      lookAgainMs: 5_000,
    };
  }

  #reach({ cluster }: ApplicationRef): void {
    if (!this.unreachable.has(cluster)) return;
    throw new GitspanError("argocd-unreachable", `Argo CD ${cluster} cannot be reached`, { transient: true });
  }
}

function snapshotOf(ref: ApplicationRef, version: number): ApplicationSnapshot {
  return {
    ref,
    uid: `uid-${ref.name}`,
    resourceVersion: String(version),
    sources: [],
    multiSource: false,
    project: "default",
    annotations: { skipReconcile: false },
    automated: true,
    specValues: [],
    hasRollout: false,
    sync: "Synced",
    revisions: [],
    health: "Healthy",
    healthMessage: "",
    operationRequested: false,
    conditions: [],
    summaryImages: [],
    resources: [],
  };
}
