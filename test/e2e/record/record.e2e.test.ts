/** `npm run e2e -- --record`: what fast tests replay, recorded anew. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kube } from "../cluster/kube.ts";
import { configure } from "../cluster/parts/tekton.ts";
import { environment, until } from "../fixtures/environment.ts";
import { Shop } from "../fixtures/shop.ts";
import { watchApplication } from "./application-watch.ts";
import { EventProxy } from "./event-proxy.ts";
import { gitAnswers } from "./git-answers.ts";
import { write, writeLines, writeRaw } from "./golden.ts";
import { tokenReviews } from "./token-reviews.ts";

const VERSIONS = [
  { tag: "1.1.0", program: "serve", outcome: "healthy" },
  { tag: "1.2.0", program: "crash", outcome: "failed" },
  { tag: "1.3.0", program: "serve", outcome: "healthy" },
] as const;

describe("recordings of the real thing", () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await Shop.open("recorded");
  });

  afterAll(async () => {
    await shop?.close();
  });

  it("of events, runs and an Application while versions come and go", async () => {
    const proxy = await EventProxy.start();
    await configure("config-events", { sink: proxy.url, formats: "tektonv1" });
    const application = await watchApplication(shop.workload().name);
    const changes: object[] = [];
    try {
      for (const { tag, program, outcome } of VERSIONS) {
        const ready = readyAt(tag);
        const run = await shop.build(tag, program, { report: false });
        const { id } = await until("a delivery", () => shop.bridge.deliveryOf(run.digest));
        const delivery = await until("its outcome", async () => {
          const found = await shop.bridge.client.delivery(id);
          return found.phase === "done" ? found : undefined;
        });
        expect(delivery.outcome).toBe(outcome);
        const { commit, reason } = delivery;
        changes.push({
          tag,
          digest: run.digest,
          commit,
          outcome,
          reason,
          podsReadyAt: program === "serve" ? await ready : null,
        });
      }
    } finally {
      application.stop();
      await configure("config-events", { sink: "" });
      proxy.close();
    }
    const kube = new Kube(environment.kubeconfig, shop.pipelines.namespace);
    const runs = [
      ...(await kube.list("tekton.dev/v1", "PipelineRun")),
      ...(await kube.list("tekton.dev/v1", "TaskRun")),
    ];
    expect(proxy.events.length).toBeGreaterThan(20);
    writeLines("events.jsonl", proxy.events);
    writeLines("runs.jsonl", runs);
    writeLines("applications.jsonl.gz", application.snapshots);
    write("changes.json", JSON.stringify({ history: shop.repository.history(), changes }, undefined, 2));
  });

  /** When both Pods of the version were ready: the truth that a verdict may not be ahead of. */
  async function readyAt(tag: string): Promise<string> {
    await until(`Pods of ${tag}`, async () => {
      const pods = await shop.workload().pods();
      return pods.filter(({ image, ready }) => ready && image.includes(`:${tag}@`)).length === 2 ? true : undefined;
    });
    return new Date().toISOString();
  }

  it("of token reviews", async () => {
    const reviews = await tokenReviews(shop.pipelines.namespace);
    expect(reviews).toHaveLength(6);
    writeLines("token-reviews.jsonl", reviews);
  });

  it("of Gitea's answers to git", async () => {
    const answers = await gitAnswers(shop.repository);
    expect(answers.get("receive-landed")?.toString()).toContain("ok refs/heads/main");
    for (const [name, answer] of answers) writeRaw(`gitea/${name}.http`, answer);
  });
});
