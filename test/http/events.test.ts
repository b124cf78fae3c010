import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { signBody } from "../../src/config/signatures.ts";
import type { EventReading } from "../../src/delivery/events.ts";
import type { EventSource } from "../../src/http/event-source.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { aBuild } from "../fakes/examples.ts";
import { TOKENS } from "./fake-ports.ts";
import { startApp, type TestApp } from "./requests.ts";

const SECRET = "a-path-secret-of-the-sink";
const PASSWORD = "the-password-of-the-sink";
const built: EventReading = { kind: "build", report: aBuild(), subject: "tekton:main/shop-ci" };

let test: TestApp;
let sources: Map<string, EventSource>;
let counted: string[];
let readings: number;

beforeEach(() => {
  sources = new Map([["main", aSource()]]);
  counted = [];
  readings = 0;
  start();
});
afterEach(() => test.app.close());

function start(overrides: Parameters<typeof startApp>[0] = {}): void {
  const metrics = { event: (_source: string, result: string) => void counted.push(result) };
  test = startApp({ events: { tekton: () => sources, metrics }, ...overrides });
}

function aSource(overrides: Partial<EventSource> = {}): EventSource {
  const read: EventSource["read"] = async () => {
    readings++;
    return built;
  };
  return { trusted: false, pathSecret: undefined, basic: undefined, read, ...overrides };
}

const secured = (overrides: Partial<EventSource> = {}) =>
  aSource({
    pathSecret: async () => SECRET,
    basic: { username: "tekton", password: async () => PASSWORD },
    ...overrides,
  });

const body = JSON.stringify({ pipelineRun: {} });

function send(url = "/v1/events/tekton", options: InjectOptions = {}) {
  const headers = { "content-type": "application/json", ...options.headers };
  return test.app.inject({ method: "POST", url, payload: body, ...options, headers });
}

const basic = (user: string, password: string) => ({
  headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
});
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const signed = (secret: string): InjectOptions => ({
  headers: {
    "gitspan-key": "shop-ci",
    "gitspan-signature": signBody(secret, Buffer.from(body), systemAmbient.clock.now()),
  },
});

describe("an event", () => {
  it("is answered with what became of it, once it is durable", async () => {
    const response = await send();
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ result: "accepted", build: test.ports.builds.keys().next().value });
    expect((await send()).json()).toMatchObject({ result: "repeat" });
    expect(counted).toEqual(["accepted", "repeat"]);
    expect(test.ports.accepted[0]?.caller).toEqual({ subject: "tekton:main/shop-ci", groups: [] });
  });

  it("carries the trace that it came with", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await send(undefined, { headers: { traceparent } });
    expect(test.ports.accepted[0]?.report.traceparent).toBe(traceparent);
  });

  it("of which nothing follows tells one word, and the log the rest", async () => {
    const detail = "the run failed (secret reason)";
    sources.set("main", aSource({ read: async () => ({ kind: "ignored", reason: "failed", detail }) }));
    const response = await send();
    expect(response.json()).toEqual({ result: "ignored", reason: "failed" });
    expect(test.ports.logged).toContainEqual(
      expect.objectContaining({ message: "event ignored", fields: expect.objectContaining({ detail }) }),
    );
  });

  it.each(["no-target", "forbidden"] as const)("is ignored when the intake says %s", async (code) => {
    test.ports.intake = async () => {
      throw new GitspanError(code, "names of targets");
    };
    expect((await send()).json()).toEqual({ result: "ignored", reason: code });
  });
});

describe("the cluster of an event", () => {
  it("is the only one, or the one that the path names", async () => {
    expect((await send("/v1/events/tekton/main")).statusCode).toBe(202);
    sources.set("edge", aSource());
    expect((await send("/v1/events/tekton/edge")).statusCode).toBe(202);
    expect((await send()).json()).toMatchObject({ status: 400, detail: "there is more than one cluster" });
    expect((await send("/v1/events/tekton/other")).json()).toMatchObject({ status: 404 });
    expect(readings).toBe(2);
  });

  it("has to be configured", async () => {
    sources.clear();
    const problem = { status: 403, code: "forbidden", hint: expect.stringContaining("tekton.<name>.kubernetes") };
    expect((await send()).json()).toMatchObject(problem);
    await test.app.close();
    start({ events: undefined as never });
    expect((await send("/v1/events/tekton/main")).json()).toMatchObject(problem);
  });
});

describe("where the sink's address carries a secret", () => {
  beforeEach(() => void sources.set("main", secured()));

  it.each<[string, string, InjectOptions]>([
    ["the secret path", `/v1/events/tekton/main/${SECRET}`, {}],
    ["user name and password", "/v1/events/tekton", basic("tekton", PASSWORD)],
    ["a token", "/v1/events/tekton/main", bearer(TOKENS.stranger)],
    ["a signature", "/v1/events/tekton", signed("the-first-secret-of-shop-ci")],
    ["a signature for the cluster", "/v1/events/tekton/main", signed("the-second-secret-of-shop-ci")],
  ])("%s lets an event in, as a hint", async (_name, url, options) => {
    expect((await send(url, options)).statusCode).toBe(202);
    expect(test.ports.accepted[0]?.caller.subject).toBe("tekton:main/shop-ci");
  });

  it.each<[string, string, InjectOptions]>([
    ["nothing", "/v1/events/tekton", {}],
    ["another path", "/v1/events/tekton/main/another-secret-of-the-sink", {}],
    ["a longer path", `/v1/events/tekton/main/${SECRET}x`, {}],
    ["another password", "/v1/events/tekton", basic("tekton", `${PASSWORD}x`)],
    ["another user", "/v1/events/tekton", basic("tektoff", PASSWORD)],
    ["an unknown token", "/v1/events/tekton", bearer(`gsp_${"x".repeat(43)}`)],
    ["a wrong signature", "/v1/events/tekton", signed("not-the-secret-of-shop-ci")],
    ["a scheme nobody knows", "/v1/events/tekton", { headers: { authorization: "Negotiate abc" } }],
  ])("%s does not", async (_name, url, options) => {
    const response = await send(url, options);
    expect(response.json()).toMatchObject({ status: 401, code: "unauthenticated" });
    expect(readings).toBe(0);
    expect(counted).toEqual(["refused"]);
  });

  it("no secret shows in an answer, the log or a metric", async () => {
    await send("/v1/events/tekton/main/another-secret-of-the-sink");
    const response = await send(`/v1/events/tekton/main/${SECRET}`, { payload: "{" });
    expect(response.json()).toMatchObject({ status: 400, instance: "/v1/events/tekton/main/:secret" });
    const seen = JSON.stringify([test.ports.logged, test.ports.requests, response.body]);
    expect(seen).not.toContain("secret-of-the-sink");
    expect(seen).not.toContain(SECRET);
  });

  it("a secret that can be guessed lets nobody in, and Tekton keeps the event for a while", async () => {
    sources.set("main", secured({ pathSecret: async () => "short" }));
    expect((await send("/v1/events/tekton/main/short")).json()).toMatchObject({ status: 503, code: "event-not-taken" });
    expect(readings).toBe(0);
  });

  it("a path with a secret is no path where none is configured", async () => {
    sources.set("main", aSource());
    expect((await send(`/v1/events/tekton/main/${SECRET}`)).statusCode).toBe(404);
  });

  it("who guesses is stopped, who is right is not", async () => {
    await test.app.close();
    start({ limits: { failedLoginsPerMinute: 3 } });
    expect((await send(`/v1/events/tekton/main/${SECRET}`)).statusCode).toBe(202);
    for (const n of [1, 2, 3]) expect((await send(`/v1/events/tekton/main/guess-number-${n}`)).statusCode).toBe(401);
    expect((await send("/v1/events/tekton/main/guess-number-4")).statusCode).toBe(429);
    expect((await send(`/v1/events/tekton/main/${SECRET}`)).statusCode).toBe(202);
  });
});

describe("where events are believed", () => {
  it("their sender has to be known", async () => {
    sources.set("main", aSource({ trusted: true }));
    expect((await send()).json()).toMatchObject({ status: 401 });
    expect(readings).toBe(0);
  });

  it("a token and a signature deliver under their own names, so that nobody speaks for another", async () => {
    sources.set("main", secured({ trusted: true }));
    await send(undefined, bearer(TOKENS.stranger));
    await send(undefined, signed("the-first-secret-of-shop-ci"));
    await send(`/v1/events/tekton/main/${SECRET}`);
    expect(test.ports.accepted.map(({ caller }) => caller.subject)).toEqual([
      "token:stranger",
      "signature:shop-ci",
      "tekton:main/shop-ci",
    ]);
  });
});

describe("Tekton never tries again after a 500, so", () => {
  it.each<[string, Error, string]>([
    ["the store", new GitspanError("store-unavailable", "db.internal:5432"), "store-unavailable"],
    ["the cluster", new GitspanError("kubernetes-forbidden", "10.0.0.1"), "kubernetes-forbidden"],
    ["a secret", new GitspanError("config-unreadable", "/run/secrets"), "event-not-taken"],
    ["a mistake of ours", new TypeError("undefined is not a function"), "event-not-taken"],
    ["a bad gateway", new GitspanError("unreachable", "x"), "event-not-taken"],
  ])("%s answers 503", async (_name, error, code) => {
    const read = async () => {
      throw error;
    };
    sources.set("main", aSource({ read }));
    const response = await send();
    expect(response.json()).toMatchObject({ status: 503, code });
    expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
    expect(response.body).not.toContain(error.message);
    expect(counted).toEqual(["unavailable"]);
    expect(test.ports.logged.some(({ level }) => level === "error")).toBe(true);
  });

  it("an event that takes too long is one that could not be taken", async () => {
    await test.app.close();
    const clock = { ...systemAmbient.clock, now: () => Date.now(), sleep: async () => undefined };
    start({ clock });
    let stopped = false;
    const read: EventSource["read"] = (_event, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          stopped = true;
          reject(new Error("stopped"));
        });
      });
    sources.set("main", aSource({ read }));
    expect((await send()).json()).toMatchObject({ status: 503, code: "event-not-taken" });
    expect(stopped).toBe(true);
  });

  it("a server that stops, and a sender of too many events, are asked to come back", async () => {
    await test.app.close();
    start({ limits: { eventsPerMinute: 2 } });
    sources.set("edge", aSource());
    await send("/v1/events/tekton/main");
    await send("/v1/events/tekton/edge");
    const response = await send("/v1/events/tekton/main");
    expect(response.json()).toMatchObject({ status: 429, detail: "more than 2 events within a minute" });
    expect(response.headers["retry-after"]).toBeDefined();
    test.ports.stopping = true;
    expect((await send()).json()).toMatchObject({ status: 503, code: "shutting-down" });
  });
});

it.each(["GET", "PUT", "DELETE"] as const)("%s is not possible", async (method) => {
  const response = await test.app.inject({ method, url: "/v1/events/tekton/main" });
  expect(response.json()).toMatchObject({ status: 405 });
});
