import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { readUntil } from "../../src/http/wait.ts";
import { BUILD_ID, FakePorts } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

let test: TestApp;
afterEach(() => test.app.close());

describe("GET /v1/builds/{id}?wait", () => {
  it("answers at once what is done", async () => {
    test = startApp();
    test.ports.seed({ phase: "done", outcome: "healthy" });
    const response = await test.get(`/v1/builds/${BUILD_ID}?wait=60s`);
    expect(response.json()).toMatchObject({ done: true, written: true });
  });

  it("answers when the last delivery is done, through changes that are not", async () => {
    test = startApp();
    test.ports.seed();
    const answer = test.get(`/v1/builds/${BUILD_ID}?wait=60s&until=done`);
    await once(test.ports.changes, "wait");
    test.ports.change({ phase: "following", commit: "a".repeat(40) });
    await once(test.ports.changes, "wait");
    test.ports.change({ phase: "done", outcome: "failed", reason: "degraded" });
    expect((await answer).json()).toMatchObject({
      done: true,
      deliveries: [{ outcome: "failed", reason: "degraded" }],
    });
  });

  it("until=written answers when the commit is there", async () => {
    test = startApp();
    test.ports.seed();
    const answer = test.get(`/v1/builds/${BUILD_ID}?wait=60s&until=written`);
    await once(test.ports.changes, "wait");
    test.ports.change({ phase: "following", commit: "a".repeat(40) });
    expect((await answer).json()).toMatchObject({ written: true, done: false });
  });

  it("answers what it has when the time is up", async () => {
    test = startApp();
    test.ports.seed();
    const response = await test.get(`/v1/builds/${BUILD_ID}?wait=50ms`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ done: false });
  });

  it("answers what it has when the server stops", async () => {
    test = startApp();
    test.ports.seed();
    const answer = test.get(`/v1/builds/${BUILD_ID}?wait=60s`);
    await once(test.ports.changes, "wait");
    test.ports.stopping = true;
    test.ports.change({});
    expect((await answer).json()).toMatchObject({ done: false });
  });
});

describe("waiting", () => {
  it("reads again when a change was missed, and never more than ten times a second", async () => {
    test = startApp();
    const ports = new FakePorts();
    let now = 0;
    const waits: number[] = [];
    const sleeps: number[] = [];
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        sleeps.push(ms);
        now += ms;
      },
    };
    const deps = ports.deps({ clock });
    deps.store.waitForChange = async (timeoutMs) => {
      waits.push(timeoutMs);
      // The first two waits wake for nothing at once; the others run out.
      if (waits.length > 2) now += timeoutMs;
    };
    let reads = 0;
    const read = async (): Promise<number> => ++reads;
    const signal = new AbortController().signal;
    expect(await readUntil(deps, { read, settled: () => false, waitMs: 5_000, signal })).toBe(6);
    expect(waits).toEqual([2_000, 2_000, 2_000, 2_000, 800]);
    expect(sleeps).toEqual([100, 100]);
  });
});
