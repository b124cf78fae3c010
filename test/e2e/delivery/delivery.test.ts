import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildView, DeliveryView } from "../../demo/client.ts";
import { configure } from "../cluster/parts/tekton.ts";
import { BridgeProcess } from "../fixtures/bridge-process.ts";
import { environment, runId, until } from "../fixtures/environment.ts";
import { GitopsRepository } from "../fixtures/gitops-repository.ts";
import { type FinishedRun, Pipelines } from "../fixtures/pipeline.ts";
import { appFiles, overlayOf, Workload } from "../fixtures/workload.ts";

const app = `web-${runId}`;
const image = `${environment.registry}/shop/${app}`;
const source = `https://git.example.com/shop/${app}.git`;

let pipelines: Pipelines;
let repository: GitopsRepository;
let workload: Workload;
let bridge: BridgeProcess;

beforeAll(async () => {
  pipelines = await Pipelines.install(`ci-${runId}`);
  const digest = await pipelines.build(image, "1.0.0");
  repository = await GitopsRepository.create(`gitops-${runId}`, appFiles(app, "dev", image, { tag: "1.0.0", digest }));
  workload = new Workload(app, "dev");
  await workload.deploy(repository.url, overlayOf(app, "dev"));
  const apps = [{ name: app, image, source, environments: { dev: overlayOf(app, "dev") } }];
  bridge = await BridgeProcess.start(repository, apps, [pipelines.namespace]);
  await pipelines.useToken(bridge.token);
  await until("the first version runs", async () => ((await runs(digest)) ? true : undefined));
});

afterAll(async () => {
  await bridge?.close();
  await workload?.close();
  await pipelines?.close();
  await repository?.close();
});

function commitOf(tag: string): string {
  return createHash("sha1").update(`${app} ${tag}`).digest("hex");
}

/** Whether exactly the Pods of this digest are there, all ready. */
async function runs(digest: string): Promise<boolean> {
  const pods = await workload.pods();
  return (
    pods.length === 2 &&
    pods.every((pod) => pod.image.endsWith(`@${digest}`) && pod.imageId.endsWith(digest) && pod.ready)
  );
}

async function outcomeOf(build: BuildView): Promise<DeliveryView> {
  const [delivery] = (await bridge.client.wait(build.id, "done")).deliveries;
  if (delivery === undefined) throw new Error("the build has no delivery");
  return await bridge.client.delivery(delivery.id);
}

async function reported(run: FinishedRun): Promise<DeliveryView> {
  expect(run).toMatchObject({ reason: expect.stringMatching(/^(Succeeded|Completed)$/), buildId: expect.any(String) });
  return await outcomeOf(await bridge.client.wait(run.buildId ?? "", "written"));
}

function expectOneExactCommit(delivery: DeliveryView, tag: string, digest: string): void {
  expect(repository.commitsWith(`Gitspan-Delivery: ${delivery.id}`)).toEqual([delivery.commit]);
  const lines = repository.changedLines(delivery.commit ?? "");
  expect(lines.filter((line) => line.startsWith("+"))).toEqual([`+      newTag: '${tag}'`, `+      digest: ${digest}`]);
  expect(lines.filter((line) => line.startsWith("-"))).toHaveLength(2);
}

describe("a build on its way through the real Tekton, Gitea, Argo CD and Kubernetes", () => {
  it("goes from the pipeline's last Task into Git and ends healthy when its Pods run", async () => {
    const run = await pipelines.run({
      image,
      tag: "1.1.0",
      program: "serve",
      source,
      commit: commitOf("1.1.0"),
      report: true,
    });
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ phase: "done", outcome: "healthy" });
    expect(await runs(run.digest)).toBe(true);
    expectOneExactCommit(delivery, "1.1.0", run.digest);
  });

  it("needs no Task of its own where Tekton sends events", async () => {
    await configure("config-events", { sink: `${environment.bridgeUrl}/v1/events/tekton`, formats: "tektonv1" });
    try {
      const run = await pipelines.run({
        image,
        tag: "1.2.0",
        program: "serve",
        source,
        commit: commitOf("1.2.0"),
        report: false,
      });
      expect(run.buildId).toBeUndefined();
      const delivery = await until("a delivery from the event", () => bridge.deliveryOf(run.digest));
      const done = await until("its outcome", async () => {
        const found = await bridge.client.delivery(delivery.id);
        return found.phase === "done" ? found : undefined;
      });
      expect(done).toMatchObject({ outcome: "healthy" });
      expect(await runs(run.digest)).toBe(true);
      expectOneExactCommit(done, "1.2.0", run.digest);
    } finally {
      await configure("config-events", { sink: "" });
    }
  });

  it("fails a version that crashes, with evidence, while the old one still runs", async () => {
    const before = (await workload.pods())[0]?.image;
    const run = await pipelines.run({
      image,
      tag: "1.3.0",
      program: "crash",
      source,
      commit: commitOf("1.3.0"),
      report: true,
    });
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ phase: "done", outcome: "failed", reason: "degraded" });
    const evidence = JSON.stringify(delivery.events);
    expect(evidence).toContain("Degraded");
    const pods = await workload.pods();
    expect(pods.filter((pod) => pod.image === before && pod.ready)).toHaveLength(2);
    expectOneExactCommit(delivery, "1.3.0", run.digest);
  });

  it("outlives a bridge that is killed after the answer and again while it follows", async () => {
    const running = pipelines.run({
      image,
      tag: "1.4.0",
      program: "serve",
      source,
      commit: commitOf("1.4.0"),
      report: true,
    });
    const accepted = await until("the build is accepted", () => bridge.deliveryOf("1.4.0"));
    await bridge.kill();
    await bridge.start();
    await until("it is written", async () => {
      const { phase } = await bridge.client.delivery(accepted.id);
      return phase === "following" || phase === "done" ? true : undefined;
    });
    await bridge.kill();
    await bridge.start();
    const run = await running;
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ id: accepted.id, phase: "done", outcome: "healthy" });
    expect(await runs(run.digest)).toBe(true);
    expectOneExactCommit(delivery, "1.4.0", run.digest);
  });
});
