import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashToken } from "../../src/config/tokens.ts";
import { TOKENS } from "./fake-ports.ts";
import { aReport } from "./requests.ts";
import { type StoredApp, startStoredApp } from "./stored-app.ts";

// What the parts make of each other.
let test: StoredApp;
beforeEach(async () => {
  test = await startStoredApp();
});
afterEach(() => test.app.close());

describe("a reported build", () => {
  it("can be found where Location says, by who may see it, each as far as they may", async () => {
    const posted = await test.post(aReport());
    expect(posted.statusCode).toBe(202);
    const location = String(posted.headers["location"]);
    expect((await test.get(location)).json()).toEqual(posted.json());
    type Body = { deliveries: { target: string; outcome?: string; reason?: string }[] };
    const mine = (await test.get(location)).json<Body>().deliveries;
    expect(mine.map((delivery) => delivery.target)).toEqual(["checkout/staging"]);
    const all = (await test.get(location, TOKENS.platform)).json<Body>().deliveries;
    expect(all).toHaveLength(2);
    expect(all.find((delivery) => delivery.target === "checkout/prod")).toMatchObject({
      outcome: "rejected",
      reason: "forbidden",
    });
  });

  it("is the same build when it is sent again, and a mismatch when the key is used for another", async () => {
    const headers = { "idempotency-key": "k" };
    const first = await test.post(aReport(), { headers });
    const again = await test.post(aReport(), { headers });
    expect([first.statusCode, again.statusCode]).toEqual([202, 200]);
    expect(again.json()).toMatchObject({ id: first.json<{ id: string }>().id });
    const other = aReport();
    other.source["commit"] = "e".repeat(40);
    expect((await test.post(other, { headers })).json()).toMatchObject({ status: 422, code: "idempotency-mismatch" });
  });

  it("is refused when nothing is configured for it, or the caller may deliver to none of its targets", async () => {
    const images = [{ repository: "registry.example.com/shop/unknown", tag: "1" }];
    expect((await test.post({ ...aReport(), images })).json()).toMatchObject({ status: 422, code: "no-target" });
    const asReader = await test.post(aReport(), { headers: { authorization: `Bearer ${TOKENS.platform}` } });
    expect(asReader.json()).toMatchObject({ status: 403, code: "forbidden" });
  });

  it("shows in pages of deliveries that follow each other", async () => {
    const commits = ["1", "2", "3"].map((digit) => digit.repeat(40));
    for (const commit of commits) {
      const report = aReport();
      Object.assign(report, { source: { ...report.source, commit }, run: undefined });
      expect((await test.post(report)).statusCode).toBe(202);
    }
    type Page = { items: { id: string }[]; next?: string };
    const first = (await test.get("/v1/deliveries?limit=2", TOKENS.platform)).json<Page>();
    const rest = (await test.get(`/v1/deliveries?limit=4&cursor=${first.next}`, TOKENS.platform)).json<Page>();
    expect(rest.next).toBeUndefined();
    expect(new Set([...first.items, ...rest.items].map((item) => item.id)).size).toBe(6);
    const wrong = await test.get("/v1/deliveries?cursor=nonsense");
    expect(wrong.json()).toMatchObject({ status: 400, code: "bad-request" });
  });
});

describe("a token", () => {
  it("opens nothing once it is revoked or expired", async () => {
    expect((await test.get("/v1/deliveries")).statusCode).toBe(200);
    await test.store.revokeToken("shop-ci");
    expect((await test.get("/v1/deliveries")).statusCode).toBe(401);
    await test.store.createToken({ name: "old", hash: hashToken(TOKENS.stranger), groups: [], expiresAt: 1 });
    expect((await test.get("/v1/deliveries", TOKENS.stranger)).statusCode).toBe(401);
  });
});
