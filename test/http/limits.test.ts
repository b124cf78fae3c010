import { afterEach, describe, expect, it } from "vitest";
import { duplicateKey } from "../../src/http/duplicate-keys.ts";
import { FailedLogins } from "../../src/http/failed-logins.ts";
import { TOKENS } from "./fake-ports.ts";
import { aReport, startApp, type TestApp } from "./requests.ts";

let test: TestApp | undefined;
afterEach(async () => {
  await test?.app.close();
  test = undefined;
});

const wrong = (digit: string) => ({ authorization: `Bearer gsp_${digit.repeat(43)}` });

describe("wrong tokens", () => {
  it("are refused unseen when an address has sent too many; who was right before is let through", async () => {
    test = startApp({ limits: { failedLoginsPerMinute: 2 } });
    expect((await test.get("/v1/deliveries")).statusCode).toBe(200);
    for (const digit of ["1", "2"]) {
      expect((await test.app.inject({ url: "/v1/deliveries", headers: wrong(digit) })).statusCode).toBe(401);
    }
    const refused = await test.app.inject({ url: "/v1/deliveries", headers: wrong("3") });
    expect(refused.json()).toMatchObject({ status: 429, code: "rate-limited" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await test.get("/v1/deliveries")).statusCode).toBe(200);
    expect((await test.get("/v1/deliveries", TOKENS.platform)).statusCode).toBe(429);
    const elsewhere = await test.app.inject({
      url: "/v1/deliveries",
      remoteAddress: "192.0.2.7",
      headers: { authorization: `Bearer ${TOKENS.platform}` },
    });
    expect(elsewhere.statusCode).toBe(200);
  });

  it("count for the address that a trusted proxy names, and only a trusted one", async () => {
    test = startApp({ limits: { failedLoginsPerMinute: 1 }, trustedProxies: ["127.0.0.0/8"] });
    const from = (address: string, remoteAddress = "127.0.0.1") =>
      test!.app.inject({
        url: "/v1/deliveries",
        remoteAddress,
        headers: { ...wrong("1"), "x-forwarded-for": address },
      });
    expect((await from("192.0.2.1")).statusCode).toBe(401);
    expect((await from("192.0.2.1")).statusCode).toBe(429);
    expect((await from("192.0.2.2")).statusCode).toBe(401);
    expect((await from("192.0.2.3", "198.51.100.1")).statusCode).toBe(401);
    expect((await from("192.0.2.4", "198.51.100.1")).statusCode).toBe(429);
  });

  it("are counted for a minute, by address, in bounded memory", () => {
    let now = 0;
    const failures = new FailedLogins({ now: () => now, sleep: () => Promise.resolve() }, 2);
    failures.failed("a", "x");
    failures.failed("a", "x");
    expect(() => failures.check("a", "x")).toThrow("too many");
    now = 60_000;
    expect(() => failures.check("a", "x")).not.toThrow();
    failures.succeeded("good");
    failures.failed("a", "x");
    failures.failed("a", "good");
    expect(() => failures.check("a", "good")).toThrow("too many");
    for (let i = 0; i < 10_000; i++) failures.failed(`address-${i}`, "x");
    expect(() => failures.check("a", "x")).not.toThrow();
  });
});

describe("the size of a report", () => {
  it("is limited as the configuration says", async () => {
    test = startApp({ limits: { buildBytes: 1_024 } });
    const response = await test.post({ ...aReport(), padding: "x".repeat(2_000) });
    expect(response.json()).toMatchObject({ status: 413, code: "payload-too-large" });
  });
});

describe("a key that is there twice", () => {
  it.each([
    ['{"a": 1, "a": 2}', "a"],
    ['{"a": {"b": [{}, {"c": 1, "d": "}{,", "c": 2}]}}', "a.b[1].c"],
    ['[[1, {"a": "\\"", "\\u0061": 1}]]', "[0][1].a"],
    ['{"": 1, "": 2}', ""],
    ['{"a\\\\": 1, "a\\\\": 2}', "a\\"],
  ])("is found in %s", (text, path) => {
    expect(duplicateKey(text)).toBe(path);
  });

  it.each([
    "null",
    '"a"',
    "[1, 1]",
    '["a", "a"]',
    '{"a": "a", "b": {"a": {"a": 1}}, "c": [{"a": 1}, {"a": 1}]}',
    '{"a": "{\\"a\\": 1, \\"a\\": 2}"}',
    '{"A": 1, "a": 2}',
    `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  ])("is not seen where there is none: %.40s", (text) => {
    expect(duplicateKey(text)).toBeUndefined();
  });
});
