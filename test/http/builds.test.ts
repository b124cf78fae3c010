import { afterEach, describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { BUILD_ID, DELIVERY_ID, TOKENS } from "./fake-ports.ts";
import { aReport, DIGEST, startApp, type TestApp } from "./requests.ts";

let test: TestApp;
afterEach(() => test.app.close());

describe("POST /v1/builds", () => {
  it("answers 202 with the build and where to find it", async () => {
    test = startApp();
    const response = await test.post(aReport());
    expect(response.statusCode).toBe(202);
    expect(response.headers["location"]).toBe(`/v1/builds/${BUILD_ID}`);
    expect(response.json()).toMatchObject({
      id: BUILD_ID,
      subject: "token:shop-ci",
      createdAt: "2026-01-02T03:05:06.000Z",
      done: false,
      deliveries: [{ id: DELIVERY_ID, target: "checkout/staging", repository: "gitops", branch: "main" }],
      links: { self: `/v1/builds/${BUILD_ID}` },
    });
  });

  it("hands the report over as the model has it", async () => {
    test = startApp();
    const report = aReport();
    report["run"] = { kind: "PipelineRun", name: "r", uid: "u", finishedAt: "2026-01-02T04:00:00+01:00" };
    Object.assign(report.source, { time: "2026-01-02T03:00:00.5Z", subject: "Fix", author: "Ada <ada@example.com>" });
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await test.post(report, { headers: { traceparent } });
    expect(test.ports.accepted).toEqual([
      {
        caller: { subject: "token:shop-ci", groups: [] },
        idempotency: undefined,
        report: {
          artifacts: [
            { name: "checkout", repository: "registry.example.com/shop/checkout", tag: "1.4.2", digest: DIGEST },
          ],
          source: {
            repository: "https://git.example.com/shop/checkout.git",
            commit: "c".repeat(40),
            ref: "refs/heads/main",
            time: Date.UTC(2026, 0, 2, 3, 0, 0, 500),
            subject: "Fix",
            author: "Ada <ada@example.com>",
          },
          run: { kind: "PipelineRun", name: "r", uid: "u", finishedAt: Date.UTC(2026, 0, 2, 3) },
          traceparent,
        },
      },
    ]);
  });

  it("takes an image reference with its digest beside it, as Tekton's results give them", async () => {
    test = startApp();
    const images = [{ name: "worker", image: "registry.example.com:5000/shop/worker:1.4.2", digest: DIGEST }];
    await test.post({ ...aReport(), images });
    expect(test.ports.accepted[0]?.report.artifacts).toEqual([
      { name: "worker", repository: "registry.example.com:5000/shop/worker", tag: "1.4.2", digest: DIGEST },
    ]);
  });

  it("answers 200 when the build is known already", async () => {
    test = startApp();
    await test.post(aReport());
    const response = await test.post(aReport());
    expect(response.statusCode).toBe(200);
    expect(response.headers["location"]).toBe(`/v1/builds/${BUILD_ID}`);
  });

  it("hashes the body's bytes for the Idempotency-Key", async () => {
    test = startApp();
    const headers = { "idempotency-key": "run-1" };
    await test.post(aReport(), { headers });
    await test.post(aReport(), { headers });
    await test.post(`${JSON.stringify(aReport())} `, { headers });
    const [first, second, third] = test.ports.accepted.map((request) => request.idempotency);
    expect(first).toEqual({ key: "run-1", bodyHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(second).toEqual(first);
    expect(third?.bodyHash).not.toBe(first?.bodyHash);
  });

  it.each([
    ["no-target", 422],
    ["forbidden", 403],
    ["idempotency-mismatch", 422],
  ] as const)("passes on what the intake refuses: %s", async (code, status) => {
    test = startApp();
    test.ports.intake = async () => {
      throw new GitspanError(code, "no, because", { hint: "do this" });
    };
    const response = await test.post(aReport());
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code, detail: "no, because", hint: "do this", instance: "/v1/builds" });
  });

  it("answers 503 with Retry-After, and no word of why, when the build cannot be stored", async () => {
    test = startApp();
    test.ports.intake = async () => {
      throw new GitspanError("store-unavailable", "connect ECONNREFUSED db.internal:5432", { retryAfterMs: 2_500 });
    };
    const response = await test.post(aReport());
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("3");
    expect(response.body).not.toContain("db.internal");
    expect(JSON.stringify(test.ports.logged.find((line) => line.level === "error")?.fields["requestId"])).toContain(
      "-",
    );
  });

  it("answers 503 when the store does not answer at all", async () => {
    const sleeps: (() => void)[] = [];
    const clock = { now: () => Date.now(), sleep: () => new Promise<void>((resolve) => sleeps.push(resolve)) };
    test = startApp({ clock });
    let signal: AbortSignal | undefined;
    test.ports.intake = (_request, given) => {
      signal = given;
      for (const wake of sleeps) wake();
      return new Promise(() => undefined);
    };
    const response = await test.post(aReport());
    expect(response.json()).toMatchObject({ status: 503, code: "store-unavailable" });
    expect(signal?.aborted).toBe(true);
  });

  it("tells nothing of an unexpected error", async () => {
    test = startApp();
    test.ports.intake = async () => {
      throw new Error("secret at /etc/passwd");
    };
    const response = await test.post(aReport());
    expect(response.json()).toMatchObject({ status: 500, code: "internal" });
    expect(response.body).not.toContain("passwd");
    expect(test.ports.logged.filter((line) => line.level === "error")).toHaveLength(1);
  });

  it("limits each subject, not the address it comes from", async () => {
    test = startApp({ limits: { buildsPerMinute: 2 } });
    await test.post(aReport());
    await test.post(aReport());
    const refused = await test.post(aReport());
    expect(refused.json()).toMatchObject({ status: 429, code: "rate-limited" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    const other = await test.post(aReport(), { headers: { authorization: `Bearer ${TOKENS.platform}` } });
    expect(other.statusCode).toBe(200);
  });
});
