import { afterEach, beforeEach, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { makeBearers } from "../../src/bearers.ts";
import { isAllowed } from "../../src/model/access.ts";
import { type Issuer, openIssuer } from "../../src/oidc/issuer.ts";
import { FakeIssuer } from "../fakes/oidc-issuer.ts";
import { FakePorts } from "./fake-ports.ts";
import { aReport, startApp, type TestApp } from "./requests.ts";

const SUBJECT = "oidc:github:repo:shop/checkout:ref:refs/heads/main";

let server: FakeIssuer;
let test: TestApp;

beforeEach(async () => {
  server = await FakeIssuer.start();
  const issuer = await openIssuer(systemAmbient.clock, {
    name: "github",
    issuer: server.url,
    audience: "gitspan",
    algorithms: ["RS256"],
    jwksUri: undefined,
    jwksFile: undefined,
    caFile: new URL("../golden/git/tls/cert.pem", import.meta.url).pathname,
    maxAgeMs: 3_600_000,
    subject: "{sub}",
    source: { repository: "https://git.example.com/{repository}", commit: "{sha}", ref: "{ref}" },
  });
  const issuers = new Map<string, Issuer>([[server.url, issuer]]);
  const rules = [
    {
      subject: "oidc:github:repo:shop/checkout:ref:refs/heads/*",
      actions: ["deliver" as const],
      apps: ["*"],
      environments: ["*"],
    },
  ];
  test = startApp({
    bearers: makeBearers({ clusters: () => new Map(), issuer: (url) => issuers.get(url) }),
    settings: () => ({
      ...new FakePorts().deps().settings(),
      allows: (caller, permission) => isAllowed(rules, caller, permission),
    }),
  });
});
afterEach(async () => {
  await test.app.close();
  await server.close();
});

const post = (token: string, body: unknown = aReport()) =>
  test.post(body, { headers: { authorization: `Bearer ${token}` } });

it("a job of another CI reports its build under the subject of its token", async () => {
  const response = await post(await server.sign());
  expect(response.statusCode, response.body).toBe(202);
  expect(test.ports.accepted[0]?.caller).toEqual({ subject: SUBJECT, groups: [] });
  const location = String(response.headers.location);
  expect((await test.get(location, await server.sign())).statusCode).toBe(200);
  expect((await test.get(location, await server.sign({ sub: "repo:evil/x:ref:refs/heads/main" }))).statusCode).toBe(
    404,
  );
});

it("a report of another source than the token's is a 403, and nothing is stored", async () => {
  for (const claims of [{ repository: "shop/evil" }, { sha: "d".repeat(40) }, { ref: "refs/heads/other" }]) {
    const response = await post(await server.sign(claims));
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([403, "forbidden"]);
  }
  expect(test.ports.accepted).toEqual([]);
  expect(test.ports.refused).toEqual(["another-source", "another-source", "another-source"]);
});

it("a token that is not good is a 401 that does not say why; the log does, without the token", async () => {
  const tokens: [string, string][] = [
    [await server.sign({ aud: "somebody-else" }), "audience"],
    [await server.sign({ exp: 1_700_000_000, iat: 1_699_999_000 }), "expired"],
    [await server.sign({ iss: "https://evil.example.com" }), "unknown-token"],
    [`${(await server.sign()).slice(0, -6)}AAAAAA`, "signature"],
  ];
  for (const [token, reason] of tokens) {
    const response = await post(token);
    expect(response.statusCode).toBe(401);
    const { detail } = response.json<{ detail: string }>();
    expect(["the token is not valid here", "the token is unknown, revoked or expired"]).toContain(detail);
    expect(test.ports.refused.at(-1)).toBe(reason);
    expect(JSON.stringify(test.ports.logged)).not.toContain(token);
  }
  expect(test.ports.accepted).toEqual([]);
});

it("an issuer that cannot be reached is a 503, not a 401", async () => {
  server.trouble = 500;
  const response = await post(await server.sign());
  expect(response.statusCode).toBe(503);
  expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
  expect(response.body).not.toContain("127.0.0.1");
  expect(test.ports.refused).toEqual([]);
});
