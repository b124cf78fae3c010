import { createHmac } from "node:crypto";
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signBody } from "../../src/config/signatures.ts";
import { T0 } from "../fakes/examples.ts";
import { expectProblem } from "./expect-problem.ts";
import { DELIVERY_ID, TOKENS } from "./fake-ports.ts";
import { aReport } from "./requests.ts";
import { type StoredApp, startStoredApp } from "./stored-app.ts";

const [OLD, NEW] = ["the-first-secret-of-shop-ci", "the-second-secret-of-shop-ci"] as const;
const BODY = JSON.stringify(aReport());

let test: StoredApp;
beforeEach(async () => {
  test = await startStoredApp({ clock: { now: () => T0, sleep: () => new Promise(() => {}) } });
});
afterEach(() => test.app.close());

function signed(headers: Record<string, string | undefined> = {}, change: InjectOptions = {}): InjectOptions {
  const signature = signBody(NEW, Buffer.from(BODY), T0);
  const all = {
    "content-type": "application/json",
    "gitspan-key": "shop-ci",
    "gitspan-signature": signature,
    ...headers,
  };
  return {
    method: "POST",
    url: "/v1/builds",
    payload: BODY,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    ...change,
  };
}
const at = (seconds: number, secret: string = NEW) => ({
  "gitspan-signature": signBody(secret, Buffer.from(BODY), T0 + seconds * 1_000),
});

describe("a signed report", () => {
  it.each([
    ["with the new secret", signed()],
    ["with the old secret", signed(at(0, OLD))],
    ["by a clock that is five minutes behind", signed(at(-300))],
    ["by a clock that is five minutes ahead", signed(at(300))],
    [
      "with both secrets",
      signed({
        "gitspan-signature": `${signBody("something-else-that-is-long", Buffer.from(BODY), T0)},v1=${createHmac(
          "sha256",
          OLD,
        )
          .update(`${T0 / 1_000}.${BODY}`)
          .digest("hex")}`,
      }),
    ],
    ["in pieces", signed({ "transfer-encoding": "chunked" })],
  ])("is taken %s, under the key's own name", async (_how, request) => {
    const response = await test.app.inject(request);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({ subject: "signature:shop-ci" });
  });

  it("does no harm when it is repeated: it is the same build", async () => {
    expect((await test.app.inject(signed())).statusCode).toBe(202);
    expect((await test.app.inject(signed())).statusCode).toBe(200);
  });

  it("is parsed as any other", async () => {
    const body = '{"images": [';
    const request = signed({ "gitspan-signature": signBody(NEW, Buffer.from(body), T0) }, { payload: body });
    expect((await test.app.inject(request)).json()).toMatchObject({ status: 400, code: "bad-request" });
  });

  it("is limited by its key", async () => {
    await test.app.close();
    test = await startStoredApp({
      clock: { now: () => T0, sleep: () => new Promise(() => {}) },
      limits: { buildsPerMinute: 1 },
    });
    await test.app.inject(signed());
    expect((await test.app.inject(signed())).json()).toMatchObject({ status: 429, code: "rate-limited" });
    expect((await test.post(aReport())).statusCode).not.toBe(429);
  });
});

describe("a request whose signature is not right", () => {
  it.each([
    ["no signature", signed({ "gitspan-signature": undefined })],
    ["no key", signed({ "gitspan-key": undefined })],
    ["an unknown key", signed({ "gitspan-key": "nobody" })],
    ["the name of an inherited property as key", signed({ "gitspan-key": "__proto__" })],
    ["a form that is none", signed({ "gitspan-signature": "sha256=abc" })],
    ["another secret", signed(at(0, "not-the-secret-of-shop-ci"))],
    ["a clock that is six minutes behind", signed(at(-360))],
    ["a clock that is six minutes ahead", signed(at(360))],
    ["one byte more", signed({}, { payload: `${BODY} ` })],
    ["another body", signed({}, { payload: BODY.replace("1.4.2", "6.6.6") })],
    ["no body", signed({}, { payload: undefined })],
    ["a body that is no JSON", signed({}, { payload: "{" })],
    ["a body of another type", signed({ "content-type": "text/plain" }, { payload: "hello" })],
    ["a compressed body", signed({ "content-encoding": "gzip" }, { payload: "hello" })],
    ["a token beside it", signed({ authorization: `Bearer ${TOKENS.ci}` })],
    ["a reading route", signed({}, { method: "GET", url: `/v1/deliveries/${DELIVERY_ID}`, payload: undefined })],
    ["a route that changes something", signed({}, { url: "/v1/holds" })],
  ])("is refused with one and the same answer: %s", async (name, request) => {
    await expectProblem(test, {
      name,
      request,
      status: 401,
      code: "unauthenticated",
      detail: "the signature is not valid",
    });
    expect(test.store.isEmpty()).toBe(true);
  });

  it("is refused when the secret was taken away", async () => {
    test.ports.signatures.set("shop-ci", []);
    expect((await test.app.inject(signed())).statusCode).toBe(401);
  });

  it("is refused when it is too large to look at", async () => {
    const request = signed({}, { payload: `"${"x".repeat(300_000)}"` });
    expect((await test.app.inject(request)).json()).toMatchObject({ status: 413, code: "payload-too-large" });
  });

  it("leaves no trace of secret or signature in the log", async () => {
    await test.app.inject(signed(at(0, "not-the-secret-of-shop-ci")));
    await test.app.inject(signed());
    expect(JSON.stringify(test.ports.logged)).not.toMatch(/secret-of-shop-ci|v1=/);
  });
});
