import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { hashToken } from "../../src/config/tokens.ts";
import { accept } from "../../src/delivery/accept.ts";
import type { Metrics, Settings } from "../../src/delivery/ports.ts";
import type { Intake } from "../../src/http/intake.ts";
import { isAllowed } from "../../src/model/access.ts";
import { matchBuild } from "../../src/model/match.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { aTarget } from "../fakes/examples.ts";
import { MemoryStore } from "../fakes/memory-store.ts";
import { TOKENS } from "./fake-ports.ts";
import { aReport, startApp, type TestApp } from "./requests.ts";

// The real intake on the store that passes the store's contract: what the parts make of each other.
let test: TestApp;
let store: MemoryStore;

const targets = [aTarget(), aTarget({ id: "checkout/prod", environment: "prod" })];
const access = [
  { subject: "token:shop-ci", actions: ["deliver" as const], apps: ["checkout"], environments: ["staging"] },
  { subject: "group:platform", actions: ["read" as const], apps: ["*"], environments: ["*"] },
];
const settings: Settings = {
  hash: "h",
  target: (id) => targets.find((target) => target.id === id),
  repository: () => undefined,
  match: (report) => matchBuild({ apps: [{ name: "checkout" }], targets }, report),
  allows: (caller, permission) => isAllowed(access, caller, permission),
};

beforeEach(async () => {
  const { clock, ids } = systemAmbient;
  const metrics: Metrics = createMetrics({ version: "1" });
  store = new MemoryStore({ clock });
  const intake: Intake = {
    accept: (request) => accept({ store, ids, settings: () => settings, metrics }, request),
  };
  test = startApp({ intake, store, settings: () => settings });
  await store.createToken({ name: "shop-ci", hash: hashToken(TOKENS.ci), groups: [] });
  await store.createToken({ name: "ada", hash: hashToken(TOKENS.platform), groups: ["platform"] });
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
    await store.revokeToken("shop-ci");
    expect((await test.get("/v1/deliveries")).statusCode).toBe(401);
    await store.createToken({ name: "old", hash: hashToken(TOKENS.stranger), groups: [], expiresAt: 1 });
    expect((await test.get("/v1/deliveries", TOKENS.stranger)).statusCode).toBe(401);
  });
});
