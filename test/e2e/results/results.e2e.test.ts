import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kube } from "../cluster/kube.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { Pipelines } from "../fixtures/pipeline.ts";
import { ResultsReader } from "../fixtures/results-reader.ts";

if (notOurs !== undefined) console.log(`results/results.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("the cluster's Results", () => {
  const namespace = `results-${runId}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  let pipelines: Pipelines;
  let results: ResultsReader;

  beforeAll(async () => {
    pipelines = await Pipelines.install(namespace);
    results = await ResultsReader.of(kube, namespace);
  });

  afterAll(async () => {
    await pipelines.close();
  });

  it("still knows a run that is gone from the cluster", async () => {
    const digest = await pipelines.build(`${environment.registry}/shop/stored-${runId}`, "1.0.0");
    const [run] = await kube.list("tekton.dev/v1", "TaskRun");
    const uid = String(run?.metadata?.uid);
    const stored = async () => {
      const text = await results.record(uid);
      return text?.includes(digest) === true ? text : undefined;
    };
    const log = async () => {
      const text = await results.log(uid);
      return text?.includes("build-and-push") === true ? text : undefined;
    };
    await until("the run is stored", stored);
    // The log comes from the Pod, after the run's end: whoever prunes runs gives it time.
    await until("its log is stored", log);
    await kube.remove({
      apiVersion: "tekton.dev/v1",
      kind: "TaskRun",
      metadata: { name: String(run?.metadata?.name) },
    });
    await until("the run is gone", async () => {
      const left = await kube.list("tekton.dev/v1", "TaskRun");
      return left.length === 0 ? true : undefined;
    });
    expect(await stored()).toContain(uid);
    expect(await log()).toContain("build-and-push");
  });
});
