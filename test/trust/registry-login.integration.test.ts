import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import type { RegistryCredentials } from "../../src/trust/credentials.ts";
import { type RegistryReply, RegistryServer } from "../fakes/registry-server.ts";
import { aRegistry, basic, DIGEST, json, MANIFEST } from "./registry-subject.ts";

const signal = AbortSignal.timeout(60_000);
const ci = async (): Promise<RegistryCredentials> => ({ kind: "basic", username: "ci", password: "secret" });
const tls = (file: string) => readFileSync(new URL(`../golden/git/tls/${file}`, import.meta.url));
const good: RegistryReply = { status: 200, body: MANIFEST };

/** As distribution v3 says it (recorded); the scope of the challenge is that of another repository. */
function challenge(realm: string): RegistryReply {
  const value = `Bearer realm="${realm}",service="lab-registry",scope="repository:shop/other:pull,push"`;
  return { status: 401, headers: { "www-authenticate": value } };
}

let server: RegistryServer;
let other: RegistryServer;
beforeEach(async () => {
  server = await RegistryServer.start(() => undefined);
  other = await RegistryServer.start(() => json({ token: "stolen" }));
});
afterEach(async () => {
  await server.close();
  await other.close();
});

/** Hands out `token` beside the registry, and takes it there. */
function withTokens(token = "jwt", life?: number): void {
  server.respond = ({ url, headers }) => {
    if (url.startsWith("/token")) return json({ token, ...(life === undefined ? {} : { expires_in: life }) });
    return headers.authorization === `Bearer ${token}` ? good : challenge(`${server.address}/token`);
  };
}

async function pull(registry: ReturnType<typeof aRegistry>["registry"], path = "shop/checkout") {
  return await registry.manifestOf(path, "1.0", signal);
}

describe("a registry that wants a token", () => {
  it("is asked with an anonymous one where there are no credentials", async () => {
    withTokens();
    const { registry, counted } = aRegistry({ address: server.address });
    expect(await pull(registry)).toMatchObject({ digest: DIGEST });
    const [, token, again] = server.asked;
    expect(token).toEqual({ url: tokenUrl("shop/checkout"), authorization: undefined });
    expect(again?.authorization).toBe("Bearer jwt");
    expect(counted).toEqual(["found"]);
  });

  it("gives the token for user name and password, and only for reading the one repository", async () => {
    withTokens();
    const { registry } = aRegistry({ address: server.address, credentials: ci });
    await pull(registry);
    expect(server.asked[1]).toEqual({ url: tokenUrl("shop/checkout"), authorization: basic("ci", "secret") });
  });

  it("is sent the token at once as long as it lasts, and another one for another repository", async () => {
    withTokens("jwt", 300);
    const { registry } = aRegistry({ address: server.address });
    await pull(registry);
    await pull(registry);
    await pull(registry, "shop/worker");
    const tokens = server.asked.filter(({ url }) => url.startsWith("/token"));
    expect(tokens.map(({ url }) => url)).toEqual([tokenUrl("shop/checkout"), tokenUrl("shop/worker")]);
  });

  it("is asked for another token when the old one has ended", async () => {
    withTokens("jwt", 60);
    let now = 1_000_000;
    const clock = { now: () => now, sleep: systemAmbient.clock.sleep };
    const { registry } = aRegistry({ address: server.address }, clock);
    await pull(registry);
    now += 60_000;
    await pull(registry);
    expect(server.asked.filter(({ url }) => url.startsWith("/token"))).toHaveLength(2);
  });

  it("takes the token of a docker login in exchange", async () => {
    withTokens();
    const { registry } = aRegistry({
      address: server.address,
      credentials: async () => ({ kind: "identity", token: "refresh" }),
    });
    expect(await pull(registry)).toMatchObject({ digest: DIGEST });
    expect(server.asked[1]).toEqual({ url: "/token", authorization: undefined });
  });

  it("is not believed when its token server is somebody else, who gets no password", async () => {
    server.respond = () => challenge(`${other.address}/token`);
    const { registry, counted } = aRegistry({ address: server.address, credentials: ci });
    await expect(pull(registry)).rejects.toMatchObject({
      code: "registry-protocol",
      hint: expect.stringContaining("tokenHosts"),
    });
    expect(other.asked).toEqual([]);
    expect(counted).toEqual(["failed"]);
  });

  it("may have its token server elsewhere where the configuration says so", async () => {
    server.respond = ({ headers }) =>
      headers.authorization === "Bearer stolen" ? good : challenge(`${other.address}/token`);
    const { registry } = aRegistry({ address: server.address, credentials: ci, tokenHosts: [other.host] });
    expect(await pull(registry)).toMatchObject({ digest: DIGEST });
  });

  it.each(["http://169.254.169.254/latest", "file:///etc/passwd", "not a url", "http://user:pass@127.0.0.1/token"])(
    "is not believed with the realm %s",
    async (realm) => {
      server.respond = () => challenge(realm);
      const { registry } = aRegistry({ address: server.address, credentials: ci });
      await expect(pull(registry)).rejects.toMatchObject({ code: "registry-protocol" });
    },
  );

  it.each([
    ["refuses the password", { status: 401 }, "registry-auth"],
    ["is broken", { status: 500 }, "registry-unreachable"],
    ["gives no token", json({}), "registry-auth"],
    ["gives a token with a line feed", json({ token: "a\r\nX: y" }), "registry-auth"],
  ])("cannot be read when its token server %s", async (_what, reply, code) => {
    server.respond = ({ url }) => (url.startsWith("/token") ? reply : challenge(`${server.address}/token`));
    const { registry } = aRegistry({ address: server.address, credentials: ci });
    await expect(pull(registry)).rejects.toMatchObject({ code });
  });

  it("that does not take its own token is refused, not asked for ever", async () => {
    server.respond = ({ url }) =>
      url.startsWith("/token") ? json({ token: "jwt" }) : challenge(`${server.address}/token`);
    const { registry } = aRegistry({ address: server.address });
    await expect(pull(registry)).rejects.toMatchObject({ code: "registry-auth" });
    expect(server.asked).toHaveLength(3);
  });
});

describe("a registry behind https", () => {
  it("is not believed when it wants its tokens asked for in the clear", async () => {
    const asked: string[] = [];
    const secure = https.createServer({ key: tls("key.pem"), cert: tls("cert.pem") }, (request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
    });
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    const ca = tls("cert.pem").toString("utf8");
    const { registry } = aRegistry({ address: `https://127.0.0.1:${port}`, credentials: ci, ca });
    await expect(pull(registry)).rejects.toMatchObject({ code: "registry-protocol" });
    expect(asked).toHaveLength(1);
    secure.closeAllConnections();
    secure.close();
  });
});

describe("a registry that wants a password", () => {
  const basicOnly = () => {
    server.respond = ({ headers }) =>
      headers.authorization === basic("ci", "secret")
        ? good
        : { status: 401, headers: { "www-authenticate": 'Basic realm="lab-registry"' } };
  };

  it("is sent it once it has asked, and at once from then on", async () => {
    basicOnly();
    const { registry } = aRegistry({ address: server.address, credentials: ci });
    await pull(registry);
    await pull(registry);
    expect(server.asked.map(({ authorization }) => authorization)).toEqual([
      undefined,
      basic("ci", "secret"),
      basic("ci", "secret"),
    ]);
  });

  it.each([
    ["without credentials", undefined],
    ["with a wrong password", async () => ({ kind: "basic", username: "ci", password: "wrong" }) as const],
  ])("cannot be read %s", async (_what, credentials) => {
    basicOnly();
    const { registry, counted } = aRegistry({ address: server.address, ...(credentials && { credentials }) });
    await expect(pull(registry)).rejects.toMatchObject({ code: "registry-auth" });
    expect(counted).toEqual(["refused"]);
  });
});

function tokenUrl(path: string): string {
  return `/token?service=lab-registry&scope=${encodeURIComponent(`repository:${path}:pull`)}`;
}
