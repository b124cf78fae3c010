import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeliveryView } from "../../demo/client.ts";
import { configure } from "../cluster/parts/tekton.ts";
import { environment, until } from "../fixtures/environment.ts";
import type { FinishedRun } from "../fixtures/pipeline.ts";
import { Shop } from "../fixtures/shop.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open("web");
});

afterAll(async () => {
  await shop?.close();
});

async function outcomeOf(buildId: string): Promise<DeliveryView> {
  const [delivery] = (await shop.bridge.client.wait(buildId, "done")).deliveries;
  if (delivery === undefined) throw new Error("the build has no delivery");
  return await shop.bridge.client.delivery(delivery.id);
}

async function reported(run: FinishedRun): Promise<DeliveryView> {
  expect(run).toMatchObject({ reason: "Succeeded", buildId: expect.any(String) });
  return await outcomeOf(run.buildId ?? "");
}

function expectOneExactCommit(delivery: DeliveryView, tag: string, digest: string): void {
  expect(shop.repository.commitsWith(`Gitspan-Delivery: ${delivery.id}`)).toEqual([delivery.commit]);
  const lines = shop.repository.changedLines(delivery.commit ?? "");
  expect(lines.filter((line) => line.startsWith("+"))).toEqual([`+      newTag: '${tag}'`, `+      digest: ${digest}`]);
  expect(lines.filter((line) => line.startsWith("-"))).toHaveLength(2);
}

describe("a build on its way through the real Tekton, Gitea, Argo CD and Kubernetes", () => {
  it("goes from the pipeline's last Task into Git and ends healthy when its Pods run", async () => {
    const run = await shop.build("1.1.0", "serve");
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ phase: "done", outcome: "healthy" });
    expect(await shop.runs(run.digest)).toBe(true);
    expectOneExactCommit(delivery, "1.1.0", run.digest);
  });

  it("needs no Task of its own where Tekton sends events", async () => {
    await configure("config-events", { sink: `${environment.bridgeUrl}/v1/events/tekton`, formats: "tektonv1" });
    try {
      const run = await shop.build("1.2.0", "serve", { report: false });
      // The skipped Task makes it "Completed".
      expect(run).toMatchObject({ reason: "Completed", buildId: undefined });
      const { build } = await until("a delivery from the event", () => shop.bridge.deliveryOf(run.digest));
      const delivery = await outcomeOf(build);
      expect(delivery).toMatchObject({ phase: "done", outcome: "healthy" });
      expect(await shop.runs(run.digest)).toBe(true);
      expectOneExactCommit(delivery, "1.2.0", run.digest);
    } finally {
      await configure("config-events", { sink: "" });
    }
  });

  it("fails a version that crashes, with evidence, while the old one still runs", async () => {
    const before = (await shop.workload().pods())[0]?.image;
    const run = await shop.build("1.3.0", "crash");
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ phase: "done", outcome: "failed", reason: "degraded" });
    expect(JSON.stringify(delivery.events)).toContain("Degraded");
    const pods = await shop.workload().pods();
    expect(pods.filter((pod) => pod.image === before && pod.ready)).toHaveLength(2);
    expectOneExactCommit(delivery, "1.3.0", run.digest);
  });

  it("outlives a bridge that is killed after the answer and again while it follows", async () => {
    const running = shop.build("1.4.0", "serve");
    const accepted = await until("the build is accepted", () => shop.bridge.deliveryOf("1.4.0"));
    await shop.bridge.kill();
    await shop.bridge.start();
    await until("it is written", async () => {
      const { phase } = await shop.bridge.client.delivery(accepted.id);
      return phase === "following" || phase === "done" ? true : undefined;
    });
    await shop.bridge.kill();
    await shop.bridge.start();
    const run = await running;
    const delivery = await reported(run);
    expect(delivery).toMatchObject({ id: accepted.id, phase: "done", outcome: "healthy" });
    expect(await shop.runs(run.digest)).toBe(true);
    expectOneExactCommit(delivery, "1.4.0", run.digest);
  });
});
