import type { InjectOptions } from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import { type BadRequest, expectProblem } from "./expect-problem.ts";
import { BUILD_ID, TOKENS } from "./fake-ports.ts";
import { startStoredApp } from "./stored-app.ts";

const test = await startStoredApp();
afterAll(() => test.app.close());

const AUTH = { authorization: `Bearer ${TOKENS.ci}` };
const bad = { status: 400, code: "bad-request" };
const noToken = { status: 401, code: "unauthenticated" };

function get(url: string): InjectOptions {
  return { url, headers: AUTH };
}

const TABLE: BadRequest[] = [
  // paths, methods and queries
  {
    name: "an unknown path",
    request: get("/v2/builds"),
    status: 404,
    code: "not-found",
    detail: "nothing at this path",
  },
  {
    name: "a trailing slash",
    request: get("/v1/deliveries/"),
    status: 404,
    code: "not-found",
    detail: "no such delivery",
  },
  { name: "a path that is no UTF-8", request: get("/v1/builds/%ff"), ...bad, detail: "percent-encoded" },
  { name: "an id that is none", request: get("/v1/builds/1"), status: 404, code: "not-found", detail: "no such build" },
  {
    name: "an id without end",
    request: get(`/v1/builds/${"a".repeat(500)}`),
    status: 404,
    code: "not-found",
    detail: "that long",
  },
  {
    name: "an unknown build",
    request: get(`/v1/builds/${BUILD_ID}`),
    status: 404,
    code: "not-found",
    detail: "no such build",
  },
  {
    name: "an unknown delivery",
    request: get(`/v1/deliveries/${BUILD_ID}`),
    status: 404,
    code: "not-found",
    detail: "no such delivery",
  },
  {
    name: "a wrong method",
    request: { ...get("/v1/builds"), method: "DELETE" },
    status: 405,
    code: "method-not-allowed",
    detail: "only POST",
  },
  {
    name: "a method fastify does not know",
    request: { ...get("/v1/deliveries"), method: "PROPFIND" },
    status: 405,
    code: "method-not-allowed",
    detail: "only GET, HEAD",
  },
  {
    name: "a wrong method with a broken body",
    request: { ...get(`/v1/deliveries/${BUILD_ID}`), method: "POST", payload: "{" },
    status: 405,
    code: "method-not-allowed",
    detail: "POST is not possible",
  },
  {
    name: "a wait that is none",
    request: get(`/v1/builds/${BUILD_ID}?wait=soon`),
    ...bad,
    detail: "wait must be a duration",
    path: "wait",
  },
  {
    name: "an until that is none",
    request: get(`/v1/builds/${BUILD_ID}?until=christmas`),
    ...bad,
    detail: "written or done",
    path: "until",
  },
  {
    name: "an unknown query",
    request: get("/v1/deliveries?colour=red"),
    ...bad,
    detail: "is not a known key",
    path: "colour",
  },
  {
    name: "a query given twice",
    request: get("/v1/deliveries?app=a&app=b"),
    ...bad,
    detail: "must be a string",
    path: "app",
  },
  {
    name: "an unknown outcome",
    request: get("/v1/deliveries?outcome=fine"),
    ...bad,
    detail: "must be one of healthy",
    path: "outcome",
  },
  {
    name: "an inherited name as outcome",
    request: get("/v1/deliveries?outcome=toString"),
    ...bad,
    detail: "must be one of",
    path: "outcome",
  },
  { name: "a limit of zero", request: get("/v1/deliveries?limit=0"), ...bad, detail: "1 to 200", path: "limit" },
  {
    name: "a short commit as filter",
    request: get("/v1/deliveries?commit=abc"),
    ...bad,
    detail: "full commit",
    path: "commit",
  },
  {
    name: "a NUL as filter",
    request: get("/v1/deliveries?app=a%00b"),
    ...bad,
    detail: "control characters",
    path: "app",
  },
  {
    name: "a cursor that is none",
    request: get("/v1/deliveries?cursor=nonsense"),
    ...bad,
    detail: "not one that this server gave",
  },
  {
    name: "a stream of an unknown kind",
    request: get("/v1/stream?outcome=healthy"),
    ...bad,
    detail: "is not a known key",
    path: "outcome",
  },
  {
    name: "a stream that is resumed nowhere",
    request: { url: "/v1/stream", headers: { ...AUTH, "last-event-id": "yesterday" } },
    ...bad,
    detail: "id of an event",
  },
  // who asks
  { name: "no token", request: { url: "/v1/deliveries" }, ...noToken, detail: "no token" },
  {
    name: "basic authentication",
    request: { url: "/v1/deliveries", headers: { authorization: "Basic YTpi" } },
    ...noToken,
    detail: "not a bearer token",
  },
  {
    name: "an unknown token",
    request: { url: "/v1/deliveries", headers: { authorization: `Bearer gsp_${"x".repeat(43)}` } },
    ...noToken,
    detail: "unknown, revoked or expired",
  },
  {
    name: "a token of another kind",
    request: { url: "/v1/deliveries", headers: { authorization: "Bearer hello" } },
    ...noToken,
    detail: "unknown",
  },
];

describe("a request for the wrong thing, or by nobody", () => {
  it.each(TABLE)("is answered with a problem that helps: $name", async (row) => {
    await expectProblem(test, row);
    expect(test.store.isEmpty()).toBe(true);
  });
});
