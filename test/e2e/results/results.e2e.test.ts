import { readFileSync } from "node:fs";
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube } from "../cluster/kube.ts";
import { resultsCa } from "../cluster/parts/results.ts";
import { addresses } from "../cluster/places.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { Pipelines } from "../fixtures/pipeline.ts";

const RBAC = "rbac.authorization.k8s.io";

if (notOurs !== undefined) console.log(`results/results.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("the cluster's Results", () => {
  const namespace = `results-${runId}`;
  const kube = new Kube(environment.kubeconfig, namespace);
  let pipelines: Pipelines;

  beforeAll(async () => {
    pipelines = await Pipelines.install(namespace);
    await kube.apply({
      apiVersion: `${RBAC}/v1`,
      kind: "RoleBinding",
      metadata: { name: "reader" },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "tekton-results-readonly" },
    });
  });

  afterAll(async () => {
    await pipelines.close();
  });

  it("still knows a run that is gone from the cluster", async () => {
    const digest = await pipelines.build(`${environment.registry}/shop/stored-${runId}`, "1.0.0");
    const [run] = await kube.list("tekton.dev/v1", "TaskRun");
    const uid = String(run?.metadata?.uid);
    const filter = encodeURIComponent(`data.metadata.uid == "${uid}"`);
    const where = `/apis/results.tekton.dev/v1alpha2/parents/${namespace}/results/-/records?filter=${filter}`;
    const token = await kube.token("default");
    const stored = async () => {
      const record: unknown = JSON.parse(await get(where, token));
      const text = Buffer.from(String(at(record, "records", 0, "data", "value")), "base64").toString();
      return text.includes(digest) ? text : undefined;
    };
    // As tasks/results/README.md finds it.
    const parent = "/apis/results.tekton.dev/v1alpha2/parents";
    const log = async () => {
      const of = encodeURIComponent(`data.spec.resource.uid == '${uid}'`);
      const found: unknown = JSON.parse(await get(`${parent}/${namespace}/results/-/logs?filter=${of}`, token));
      const name = at(found, "records", 0, "name");
      const text = typeof name === "string" ? await get(`${parent}/${name}`, token) : "";
      return text.includes("build-and-push") ? text : undefined;
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

function get(path: string, token: string): Promise<string> {
  const options = { ca: readFileSync(resultsCa), headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    request(`${addresses.results}${path}`, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks).toString()));
      answer.on("error", reject);
    })
      .on("error", reject)
      .end();
  });
}
