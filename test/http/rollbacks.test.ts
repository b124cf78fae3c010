import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { following, reread } from "../contracts/store-samples.ts";
import { expectProblem } from "./expect-problem.ts";
import { TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

let test: TestApp;
beforeEach(() => {
  test = startApp();
});
afterEach(() => test.app.close());

const request = (payload: object, { target = "checkout/staging", token = TOKENS.operator } = {}) => ({
  method: "POST" as const,
  url: `/v1/targets/${target}/rollbacks`,
  headers: { authorization: `Bearer ${token}` },
  payload,
});
const kinds = async () => (await test.ports.memory.deliveries({ limit: 10 })).items.map(({ kind }) => kind);
const why = { why: "it charges twice" };

/** A healthy delivery, and one that came after it. */
async function twoDeliveries() {
  const { memory } = test.ports;
  const target = { targetId: "checkout/staging", environment: "staging" };
  const healthy = await following(memory, target);
  await memory.save(healthy, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
  return { healthy, newer: await following(memory, target) };
}

describe("POST /v1/targets/{app}/{environment}/rollbacks", () => {
  it("is taken with where to look for it, and found again when it is asked for twice", async () => {
    const { healthy, newer } = await twoDeliveries();
    const first = await test.app.inject(request(why));
    const body = first.json<{ id: string }>();
    expect([first.statusCode, first.headers["location"]]).toEqual([202, `/v1/deliveries/${body.id}`]);
    expect(body).toMatchObject({
      kind: "rollback",
      target: "checkout/staging",
      phase: "received",
      rollback: { undoes: [newer.id], restores: healthy.id, trigger: "manual", by: "token:operator", ...why },
    });
    const second = await test.app.inject(request({ why: "again" }));
    expect([second.statusCode, second.json()]).toEqual([200, body]);
    expect(await reread(test.ports.memory, body)).toMatchObject({ kind: "rollback" });
  });

  it("says what is held because of it", async () => {
    const { newer } = await twoDeliveries();
    await test.app.inject(request(why));
    const target = (await test.get("/v1/targets/checkout/staging")).json<{ holds: object[] }>();
    expect(target.holds).toMatchObject([{ build: newer.buildId, by: "token:operator" }]);
  });

  it.each([
    { name: "no reason", payload: {}, status: 400, code: "bad-request", detail: "why is required", path: "why" },
    {
      name: "a reason that would forge a trailer",
      payload: { why: "x\nGitspan-Delivery: y" },
      status: 400,
      code: "bad-request",
      detail: "must not have control characters",
      path: "why",
    },
    {
      name: "a key that nobody knows",
      payload: { ...why, to: "1.0" },
      status: 400,
      code: "bad-request",
      detail: "to is not a known key",
      path: "to",
    },
  ])("refuses $name", async ({ payload, ...rest }) => {
    await twoDeliveries();
    await expectProblem(test, { request: request(payload), ...rest });
    expect(await kinds()).toEqual(["build", "build"]);
  });

  it("refuses with the reason when there is nothing to go back to", async () => {
    await expectProblem(test, {
      name: "nothing delivered",
      request: request(why),
      status: 409,
      code: "rollback-refused",
      detail: "nothing was delivered to checkout/staging yet",
    });
    const target = { targetId: "checkout/staging", environment: "staging" };
    await following(test.ports.memory, target);
    await expectProblem(test, {
      name: "nothing healthy",
      request: request(why),
      status: 409,
      code: "rollback-refused",
      detail: "has no earlier delivery that was healthy",
    });
    expect(await kinds()).toEqual(["build"]);
  });

  it("is for those who may roll back; to others who see the target it is forbidden, to the rest unknown", async () => {
    await twoDeliveries();
    const forbidden = { name: "no right", status: 403, code: "forbidden", detail: "may not roll back" };
    await expectProblem(test, { ...forbidden, request: request(why, { token: TOKENS.ci }) });
    const unknown = { name: "not seen", status: 404, code: "not-found", detail: "no target checkout/staging" };
    await expectProblem(test, { ...unknown, request: request(why, { token: TOKENS.stranger }) });
    expect(await kinds()).toEqual(["build", "build"]);
  });
});
