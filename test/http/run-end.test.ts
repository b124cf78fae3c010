import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { Build } from "../../src/model/build.ts";
import type { TrustPolicy } from "../../src/model/trust.ts";
import { aBuild, aTarget } from "../fakes/examples.ts";
import { aPolicy } from "../trust/policy.ts";
import { BUILD_ID, FakePorts } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

let test: TestApp;
afterEach(() => test.app.close());

/** Reported by the caller, from inside of a run that goes on. */
function start(build: Partial<Build> = {}, trust: Partial<TrustPolicy> = {}): void {
  const { policy, ...target } = aTarget();
  const wanted = { ...target, policy: { ...policy, trust: aPolicy(trust) } };
  // A task's token says of which run it is.
  const identify = async (token: string) => ({ subject: "serviceaccount:a/b", groups: ["platform"], runUid: token });
  const settings = () => ({ ...new FakePorts().deps().settings(), target: () => wanted });
  test = startApp({ settings, bearers: { identify } });
  test.ports.seed();
  const run = { kind: "PipelineRun", uid: "run-1", name: "checkout-7" };
  test.ports.builds.set(BUILD_ID, aBuild({ id: BUILD_ID, run, ...build }));
}

const waits = { phase: "waiting", waitReason: "signature" } as const;

describe("a wait for what is proven only after the end of the run", () => {
  it("is refused at once inside of the run, which would wait for itself", async () => {
    start();
    const answer = test.get(`/v1/builds/${BUILD_ID}?wait=60s`);
    await once(test.ports.changes, "wait");
    test.ports.change(waits);
    const response = await answer;
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({
      code: "provenance-needs-run-end",
      detail: "checkout/staging wants provenance of the whole run, which is made only after the run has ended",
    });
  });

  it("is refused to any task of the run, and to no other run's", async () => {
    const run = { kind: "PipelineRun", uid: "run-1", name: "checkout-7", finishedAt: Date.now() };
    start({ run, subject: "serviceaccount:shop/pipeline" });
    test.ports.change(waits);
    expect((await test.get(`/v1/builds/${BUILD_ID}?wait=60s`, "run-1")).statusCode).toBe(409);
    expect((await test.get(`/v1/builds/${BUILD_ID}?wait=50ms`, "run-2")).statusCode).toBe(200);
  });

  it("is not refused to another run of the account that reported", async () => {
    start({ subject: "serviceaccount:a/b" });
    test.ports.change(waits);
    expect((await test.get(`/v1/builds/${BUILD_ID}?wait=50ms`, "run-2")).statusCode).toBe(200);
  });

  it("is no wait when nobody asks to wait", async () => {
    start();
    test.ports.change(waits);
    const response = await test.get(`/v1/builds/${BUILD_ID}`);
    expect(response.json()).toMatchObject({ deliveries: [{ waitReason: "signature" }] });
  });

  it.each([
    ["of a run that has ended", { run: aBuild().run }, {}],
    ["that somebody else reported", { subject: "token:other" }, {}],
    ["of no run", { run: undefined }, {}],
    ["whose Task's provenance is enough", {}, { provenance: "taskrun" }],
  ] as const)("goes on for a build %s", async (_what, build, policy) => {
    start(build, policy);
    test.ports.change(waits);
    expect((await test.get(`/v1/builds/${BUILD_ID}?wait=50ms`)).statusCode).toBe(200);
  });
});
