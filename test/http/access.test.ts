import { afterEach, describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { aDelivery } from "../fakes/examples.ts";
import { BUILD_ID, DELIVERY_ID, TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

let test: TestApp;
afterEach(() => test.app.close());

function seeded(): TestApp {
  const app = startApp();
  app.ports.seed();
  return app;
}

describe("who may see what", () => {
  it.each([
    ["who may deliver there", TOKENS.ci, 200],
    ["who may read there", TOKENS.platform, 200],
    ["nobody else: it is as if it did not exist", TOKENS.stranger, 404],
  ])("a build and its delivery are shown to %s", async (_who, token, status) => {
    test = seeded();
    expect((await test.get(`/v1/builds/${BUILD_ID}`, token)).statusCode).toBe(status);
    expect((await test.get(`/v1/deliveries/${DELIVERY_ID}`, token)).statusCode).toBe(status);
    const list = await test.get("/v1/deliveries", token);
    expect(list.json<{ items: unknown[] }>().items).toHaveLength(status === 200 ? 1 : 0);
  });

  it("a build shows only the deliveries that the caller may see", async () => {
    test = seeded();
    test.ports.deliveries.push(
      aDelivery({ id: "other", buildId: BUILD_ID, environment: "prod", targetId: "checkout/prod" }),
    );
    const body = (await test.get(`/v1/builds/${BUILD_ID}`)).json<{ deliveries: { target: string }[] }>();
    expect(body.deliveries.map((delivery) => delivery.target)).toEqual(["checkout/staging"]);
  });

  it("a list is filled with what may be seen, however much may not", async () => {
    test = startApp();
    const environments = ["prod", "prod", "staging", "prod", "staging", "prod", "staging"];
    const idOf = (i: number) => DELIVERY_ID.replace(/.$/, String(i));
    test.ports.deliveries = environments.map((environment, i) =>
      aDelivery({ id: idOf(i), buildId: BUILD_ID, environment }),
    );
    const first = (await test.get("/v1/deliveries?limit=2")).json<{ items: { id: string }[]; next: string }>();
    expect(first.items.map((item) => item.id)).toEqual([idOf(2), idOf(4)]);
    const second = (await test.get(`/v1/deliveries?limit=2&cursor=${first.next}`)).json<typeof first>();
    expect(second.items.map((item) => item.id)).toEqual([idOf(6)]);
    expect(second.next).toBeUndefined();
  });

  it("nobody gets in while the store does not answer", async () => {
    test = seeded();
    test.ports.failure = new GitspanError("store-unavailable", "connection refused", { transient: true });
    const response = await test.get(`/v1/builds/${BUILD_ID}`);
    expect(response.json()).toMatchObject({ status: 503, code: "store-unavailable" });
  });

  it("the token is not in the log", async () => {
    test = seeded();
    await test.get(`/v1/builds/${BUILD_ID}?access_token=${TOKENS.ci}`);
    expect(JSON.stringify(test.ports.logged)).not.toContain(TOKENS.ci);
  });
});

describe("a delivery", () => {
  it("is shown with its history and the evidence of its verdict", async () => {
    test = startApp();
    const evidence = [{ field: "status.sync.revision", value: "abc", rule: "covers the commit" }];
    const verdict = { state: "healthy", message: "it runs", evidence } as const;
    test.ports.seed({
      phase: "done",
      outcome: "healthy",
      commit: "a".repeat(40),
      observation: {
        pushedAt: Date.UTC(2026, 0, 2),
        paths: ["apps/checkout/kustomization.yaml"],
        oldImages: [],
        newImages: [],
        applications: [{ ref: { cluster: "main", namespace: "argocd", name: "checkout" }, memory: {}, verdict }],
        verdict,
      },
    });
    const at = Date.UTC(2026, 0, 2, 3);
    test.ports.history.push({ id: 1, deliveryId: DELIVERY_ID, at, kind: "received", message: "received" });
    const body = (await test.get(`/v1/deliveries/${DELIVERY_ID}`)).json();
    expect(body).toMatchObject({
      id: DELIVERY_ID,
      build: BUILD_ID,
      phase: "done",
      outcome: "healthy",
      verdict: { state: "healthy", message: "it runs" },
      evidence,
      paths: ["apps/checkout/kustomization.yaml"],
      pushedAt: "2026-01-02T00:00:00.000Z",
      applications: [{ application: "main/argocd/checkout", verdict: { state: "healthy", evidence } }],
      events: [{ at: "2026-01-02T03:00:00.000Z", kind: "received", message: "received" }],
      links: { self: `/v1/deliveries/${DELIVERY_ID}`, build: `/v1/builds/${BUILD_ID}` },
    });
  });
});
