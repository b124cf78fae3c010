import { systemAmbient } from "../../src/ambient.ts";
import type { TektonDeps, TektonLocation } from "../../src/tekton/cluster.ts";
import type { RunResult, TektonRun } from "../../src/tekton/run.ts";

export const COMMIT = "3953f9ddf975ab5097ee468d99555c5b441169bf";
export const DIGEST = `sha256:${"a".repeat(64)}`;
export const OTHER_DIGEST = `sha256:${"b".repeat(64)}`;
export const WEB = "registry.example.com/shop/web";
export const SOURCE = "https://git.example.com/shop/web.git";

/** A successful run with nothing in it; tests state what it is about. */
export function aRun(overrides: Partial<TektonRun> = {}): TektonRun {
  return {
    kind: "PipelineRun",
    namespace: "shop-ci",
    name: "web-1",
    uid: "u-1",
    state: "succeeded",
    reason: "Succeeded",
    finishedAt: Date.UTC(2026, 10, 22, 18, 22, 35),
    annotations: {},
    labels: {},
    params: new Map(),
    results: [],
    ...overrides,
  };
}

export function results(values: Record<string, RunResult["value"]>): RunResult[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** Every image counts that the task `build` names, as in the recorded pipelines. */
export const tektonDeps: TektonDeps = {
  clock: systemAmbient.clock,
  buildTasks: () => ({ names: new Set(["build"]), takes: (_repository, task) => task === "build" }),
};

export function aCluster(overrides: Partial<TektonLocation> = {}): TektonLocation {
  const nothing = { kubernetes: undefined, runUrl: undefined, watch: undefined };
  return { name: "main", namespaces: [], audience: "gitspan", ...nothing, ...overrides };
}
