import { afterEach, describe, expect, it } from "vitest";
import { createMetricsApp } from "../../src/http/metrics-app.ts";
import { BUILD_ID } from "./fake-ports.ts";
import { aReport, startApp, type TestApp } from "./requests.ts";

let test: TestApp;
afterEach(() => test.app.close());

describe("health", () => {
  it("is told without a token", async () => {
    test = startApp();
    expect((await test.app.inject("/livez")).json()).toEqual({ status: "alive", version: "1.2.3" });
    expect((await test.app.inject("/readyz")).json()).toEqual({ status: "ready" });
  });

  it("names the check that fails only when asked to", async () => {
    test = startApp();
    const checks = [{ name: "store", ok: false, detail: "does not answer" }];
    test.ports.checks = async () => checks;
    const short = await test.app.inject("/readyz");
    expect([short.statusCode, short.json()]).toEqual([503, { status: "not-ready" }]);
    expect((await test.app.inject("/readyz?verbose")).json()).toEqual({ status: "not-ready", checks });
  });

  it("is bad when the checks themselves fail, without their words", async () => {
    test = startApp();
    test.ports.checks = async () => {
      throw new Error("password=hunter2");
    };
    const response = await test.app.inject("/readyz?verbose");
    expect(response.statusCode).toBe(503);
    expect(response.body).not.toContain("hunter2");
  });
});

describe("while it shuts down", () => {
  it("stays alive, is not ready, and sends everything else elsewhere", async () => {
    test = startApp();
    test.ports.stopping = true;
    expect((await test.app.inject("/livez")).statusCode).toBe(200);
    expect((await test.app.inject("/readyz")).json()).toEqual({ status: "shutting-down" });
    const response = await test.post(aReport());
    expect(response.json()).toMatchObject({ status: 503, code: "shutting-down" });
    expect(response.headers["retry-after"]).toBe("1");
    expect(response.headers["connection"]).toBe("close");
    expect(test.ports.accepted).toEqual([]);
  });
});

describe("every answer", () => {
  it("carries the caller's request id if it is harmless, else a new one", async () => {
    test = startApp();
    const given = await test.app.inject({ url: "/livez", headers: { "x-request-id": "ci-7/a.b" } });
    expect(given.headers["x-request-id"]).toBe("ci-7/a.b");
    const bad = await test.app.inject({ url: "/livez", headers: { "x-request-id": 'a" onload="x' } });
    expect(bad.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("has the headers that keep browsers from guessing", async () => {
    test = startApp();
    const { headers } = await test.get(`/v1/builds/${BUILD_ID}`);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toContain("default-src 'self'");
    expect(headers["cache-control"]).toBe("no-store");
  });
});

describe("the metrics page", () => {
  it("is served on an application of its own, without a token", async () => {
    test = startApp();
    const metrics = createMetricsApp({
      page: async () => ({ contentType: "text/plain; version=0.0.4", body: "up 1\n" }),
    });
    const response = await metrics.inject("/metrics");
    expect([response.body, response.headers["content-type"]]).toEqual(["up 1\n", "text/plain; version=0.0.4"]);
    expect((await test.app.inject("/metrics")).statusCode).toBe(404);
    await metrics.close();
  });
});
