import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { laneOf } from "../../src/model/target.ts";
import { aTarget } from "../fakes/examples.ts";
import { type BadRequest, expectProblem } from "./expect-problem.ts";
import { TOKENS } from "./fake-ports.ts";
import { DIGEST, startApp, type TestApp } from "./requests.ts";

interface HoldBody {
  id: string;
  target: string;
}

let test: TestApp;
beforeEach(() => {
  test = startApp();
});
afterEach(() => test.app.close());

function send(method: "POST" | "DELETE", url: string, options: { payload?: object; token?: string } = {}) {
  const { payload, token = TOKENS.operator } = options;
  return { method, url, headers: { authorization: `Bearer ${token}` }, ...(payload && { payload }) };
}

const hold = { target: "checkout/staging", why: "it crashes" };
const create = (payload: object = hold) => test.app.inject(send("POST", "/v1/holds", { payload }));

/** A delivery to checkout/staging that is being pushed. */
async function pushing(): Promise<void> {
  const { memory } = test.ports;
  const target = aTarget();
  await memory.accept({
    buildId: "build-1",
    report: { artifacts: [], source: { repository: "https://git.example.com/a", commit: "c".repeat(40) } },
    subject: "token:shop-ci",
    groups: [],
    deliveries: [
      {
        id: "delivery-1",
        kind: "build",
        targetId: target.id,
        app: target.app,
        environment: target.environment,
        lane: laneOf(target),
        images: [
          { name: "checkout", repository: "registry.example.com/shop/checkout", digest: DIGEST as `sha256:${string}` },
        ],
        expireAfterMs: 86_400_000,
      },
    ],
  });
  const [claimed] = await memory.claim(["received"], 1, { owner: "x", ms: 1_000 });
  await memory.save(claimed!, { phase: "ready" });
  const claim = await memory.claimLane({ owner: "x", ms: 60_000 });
  const { ready, targets } = await memory.laneWork(claim!);
  const observation = { pushedAt: 0, paths: [], newImages: [], oldImages: [], applications: [] };
  const item = { deliveryId: "delivery-1", targetId: target.id, commit: "d".repeat(40), observation };
  const versions = { deliveryVersion: ready[0]!.delivery.version, targetVersion: targets[0]!.version };
  const attempt = { id: "attempt-1", claim: claim!, base: "b".repeat(40), head: "d".repeat(40), configHash: "h" };
  await memory.beginAttempt({ ...attempt, items: [{ ...item, ...versions }] });
}

describe("a hold", () => {
  it("is created, found, listed with its target, and removed", async () => {
    const created = await create({ ...hold, digest: DIGEST, until: "2099-01-01T00:00:00Z" });
    const body = created.json<HoldBody>();
    expect([created.statusCode, created.headers["location"]]).toEqual([201, `/v1/holds/${body.id}`]);
    expect(body).toMatchObject({ ...hold, digest: DIGEST, by: "token:operator", alreadyBeingPushed: false });
    expect(body).toMatchObject({ until: "2099-01-01T00:00:00.000Z" });

    const { alreadyBeingPushed: _, ...stored } = created.json<HoldBody & { alreadyBeingPushed: boolean }>();
    expect((await test.get(`/v1/holds/${body.id}`)).json()).toEqual(stored);
    expect((await test.get("/v1/holds?app=checkout")).json()).toEqual({ items: [stored] });
    expect((await test.get("/v1/holds?environment=prod")).json()).toEqual({ items: [] });
    expect((await test.get("/v1/targets/checkout/staging")).json()).toMatchObject({ holds: [stored] });

    const removed = await test.app.inject(send("DELETE", `/v1/holds/${body.id}`));
    expect([removed.statusCode, removed.body]).toEqual([204, ""]);
    expect((await test.get(`/v1/holds/${body.id}`)).statusCode).toBe(404);
  });

  it("says that a push which began before it may still land", async () => {
    await pushing();
    expect((await create()).json()).toMatchObject({ alreadyBeingPushed: true });
    expect((await create({ ...hold, digest: DIGEST })).json()).toMatchObject({ alreadyBeingPushed: true });
    const other = { ...hold, digest: `sha256:${"e".repeat(64)}` };
    expect((await create(other)).json()).toMatchObject({ alreadyBeingPushed: false });
  });

  it("does not exist for those who may do nothing there", async () => {
    const { id } = (await create()).json<HoldBody>();
    expect((await test.get("/v1/holds", TOKENS.stranger)).json()).toEqual({ items: [] });
    expect((await test.get(`/v1/holds/${id}`, TOKENS.stranger)).statusCode).toBe(404);
    expect((await test.app.inject(send("DELETE", `/v1/holds/${id}`, { token: TOKENS.stranger }))).statusCode).toBe(404);
  });

  it("is not removed by those who may only see it", async () => {
    const { id } = (await create()).json<HoldBody>();
    const refused = await test.app.inject(send("DELETE", `/v1/holds/${id}`, { token: TOKENS.platform }));
    expect(refused.json()).toMatchObject({ status: 403, code: "forbidden" });
    expect((await test.get("/v1/holds")).json<{ items: unknown[] }>().items).toHaveLength(1);
  });
});

const refused: BadRequest[] = [
  {
    name: "an unknown target",
    change: { target: "checkout/nowhere" },
    code: "not-found",
    detail: "no target checkout/nowhere",
  },
  {
    name: "a target that the caller may not see",
    change: { target: "checkout/prod" },
    code: "not-found",
    detail: "no target",
  },
  { name: "no reason", change: { why: "" }, code: "bad-request", detail: "why must not be empty", path: "why" },
  {
    name: "a tag instead of a digest",
    change: { digest: "1.4.2" },
    code: "bad-request",
    detail: "sha256:",
    path: "digest",
  },
  {
    name: "an end in the past",
    change: { until: "2020-01-01T00:00:00Z" },
    code: "bad-request",
    detail: "not in the future",
  },
  {
    name: "an end without a zone",
    change: { until: "2099-01-01T00:00:00" },
    code: "bad-request",
    detail: "ISO 8601",
    path: "until",
  },
  { name: "an unknown key", change: { because: "x" }, code: "bad-request", detail: "not a known key", path: "because" },
].map(({ change, code, ...rest }) => ({
  ...rest,
  code,
  status: code === "not-found" ? 404 : 400,
  request: send("POST", "/v1/holds", { payload: { ...hold, ...change } }),
}));

it.each(refused)("a hold with $name is refused and nothing stored", async (bad) => {
  await expectProblem(test, bad);
  expect(await test.ports.memory.allHolds()).toEqual([]);
});

it("a hold by somebody who may only deliver is refused and not stored", async () => {
  const request = send("POST", "/v1/holds", { payload: hold, token: TOKENS.ci });
  await expectProblem(test, { name: "", request, status: 403, code: "forbidden", detail: "may not hold" });
  expect(await test.ports.memory.allHolds()).toEqual([]);
});
