import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { GithubAppToken } from "../../src/git/github-app.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** GitHub gives the key as PKCS#1. */
const PEM = pair.privateKey.export({ type: "pkcs1", format: "pem" }) as string;
const T0 = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;

describe("the token of a GitHub App's installation", () => {
  let api: Server;
  let apiUrl: string;
  let now = T0;
  let asked: { url: string; jwt: string }[];
  let answers: { status: number; body: string }[];
  const opened: GithubAppToken[] = [];
  const ambient = { ...systemAmbient, clock: { now: () => now, sleep: systemAmbient.clock.sleep } };
  const open = (privateKey = PEM): GithubAppToken => {
    const options = { appId: "12", installationId: "34", privateKey: async () => privateKey, apiUrl, proxy: "" };
    const token = new GithubAppToken(ambient, options);
    opened.push(token);
    return token;
  };

  beforeEach(async () => {
    now = T0;
    asked = [];
    answers = [];
    api = createServer((request, response) => {
      asked.push({ url: `${request.method} ${request.url}`, jwt: String(request.headers.authorization).slice(7) });
      const token = { token: `ghs_${asked.length}`, expires_at: new Date(now + 60 * MINUTE).toISOString() };
      const { status, body } = answers.shift() ?? { status: 201, body: JSON.stringify(token) };
      response.writeHead(status, { "Content-Type": "application/json" }).end(body);
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/api/v3`;
  });
  afterEach(async () => {
    for (const token of opened.splice(0)) token.close();
    api.closeAllConnections();
    await new Promise<void>((resolve) => api.close(() => resolve()));
  });

  it("is asked for with a signed statement of the App that is good for minutes only", async () => {
    expect(await open().credentials()).toEqual({ username: "x-access-token", password: "ghs_1" });
    expect(asked.map(({ url }) => url)).toEqual(["POST /api/v3/app/installations/34/access_tokens"]);
    const { payload, protectedHeader } = await jwtVerify(asked[0]?.jwt ?? "", pair.publicKey, {
      currentDate: new Date(now),
    });
    expect(protectedHeader.alg).toBe("RS256");
    expect(payload).toEqual({ iss: "12", iat: T0 / 1000 - 60, exp: T0 / 1000 + 540 });
  });

  it("is kept, and made anew five minutes before it ends", async () => {
    const app = open();
    await app.credentials();
    now += 54 * MINUTE;
    expect(await app.credentials()).toMatchObject({ password: "ghs_1" });
    now += 2 * MINUTE;
    expect(await app.credentials()).toMatchObject({ password: "ghs_2" });
  });

  it("is asked for once by all who need it at the same time", async () => {
    const app = open();
    const all = await Promise.all(Array.from({ length: 5 }, () => app.credentials()));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(asked).toHaveLength(1);
  });

  it("is made anew when the server does not take it", async () => {
    const app = open();
    await app.credentials();
    app.refused();
    expect(await app.credentials()).toMatchObject({ password: "ghs_2" });
  });

  it("takes a new key of the App with the next token, and a key as PKCS#8", async () => {
    const keys = ["no key", pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string];
    const options = { appId: "12", installationId: "34", privateKey: async () => keys.shift() ?? "", apiUrl };
    const app = new GithubAppToken(ambient, options);
    opened.push(app);
    await expect(app.credentials()).rejects.toMatchObject({ code: "git-auth", transient: false });
    expect(await app.credentials()).toMatchObject({ password: "ghs_1" });
  });

  it.each([
    [401, '{"message":"A JSON web token could not be decoded"}', "git-auth", false],
    [404, '{"message":"Not Found"}', "git-auth", false],
    [503, "", "git-unreachable", true],
    [201, '{"token":"hunter2","expires_at":"soon"}', "git-protocol", false],
    [201, "hunter2", "git-protocol", false],
  ])("answers HTTP %i %s with an error, and shows no secret", async (status, body, code, transient) => {
    answers.push({ status, body });
    const failure: unknown = await open()
      .credentials()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, transient });
    const shown = JSON.stringify([failure, String(failure), (failure as Error).cause]);
    expect(shown).not.toMatch(/hunter2|PRIVATE KEY/);
    expect(shown).not.toContain(asked[0]?.jwt.split(".")[2]);
  });
});
