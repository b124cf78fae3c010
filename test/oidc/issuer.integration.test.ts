import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Issuer, type IssuerLocation, openIssuer } from "../../src/oidc/issuer.ts";
import { VirtualClock } from "../argocd/virtual-clock.ts";
import { aKey, FakeIssuer, type IssuerTrouble } from "../fakes/oidc-issuer.ts";

const MINUTE = 60_000;
const SUBJECT = "oidc:ci:repo:shop/checkout:ref:refs/heads/main";

let server: FakeIssuer;
let directory: string;
let clock: VirtualClock;
let location: IssuerLocation;

beforeAll(async () => {
  server = await FakeIssuer.start();
  directory = await mkdtemp(join(tmpdir(), "gitspan-oidc-"));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  clock = new VirtualClock(Date.now());
  server.trouble = undefined;
  server.discovery = {};
  server.keys = [server.keys[0] ?? (await aKey("first"))];
  server.requests.length = 0;
  location = {
    name: "ci",
    issuer: server.url,
    audience: "gitspan",
    algorithms: ["RS256", "ES256"],
    jwksUri: undefined,
    jwksFile: undefined,
    caFile: new URL("../golden/git/tls/cert.pem", import.meta.url).pathname,
    maxAgeMs: 60 * MINUTE,
    subject: "{sub}",
    source: {},
  };
});

const open = (change: Partial<IssuerLocation> = {}): Promise<Issuer> => openIssuer(clock, { ...location, ...change });
const reasonOf = async (token: string, change: Partial<IssuerLocation> = {}): Promise<unknown> => {
  const failure: unknown = await (await open(change)).identify(token).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "unauthenticated", message: "the token is not valid here" });
  expect(JSON.stringify([failure, String(failure)])).not.toContain(token);
  return (failure as { reason: string }).reason;
};
const seconds = (ms = 0): number => Math.floor((Date.now() + ms) / 1_000);

describe("a token", () => {
  it("of the issuer is its subject, by the keys that its discovery document names", async () => {
    const issuer = await open();
    expect((await issuer.identify(await server.sign())).subject).toBe(SUBJECT);
    expect((await issuer.identify(await server.sign({ sub: "other" }))).subject).toBe("oidc:ci:other");
    expect(server.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("is known by keys of a pinned address or of a file without asking the issuer", async () => {
    const pinned = await open({ jwksUri: `${server.url}/keys` });
    expect((await pinned.identify(await server.sign())).subject).toBe(SUBJECT);
    expect(server.requests).toEqual(["/keys"]);
    const jwksFile = join(directory, "keys.json");
    await writeFile(jwksFile, JSON.stringify({ keys: server.keys.map(({ jwk }) => jwk) }));
    const local = await open({ jwksFile, issuer: server.url });
    expect((await local.identify(await server.sign())).subject).toBe(SUBJECT);
    expect(server.requests).toEqual(["/keys"]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["of another issuer", { iss: "https://evil.example.com" }, "issuer"],
    ["of an issuer that only begins like ours", { iss: "https://127.0.0.1" }, "issuer"],
    ["for another audience", { aud: ["sts.amazonaws.com"] }, "audience"],
    ["for no audience", { aud: undefined }, "audience"],
    ["that has ended", { iat: seconds(-10 * MINUTE), exp: seconds(-2 * MINUTE) }, "expired"],
    ["that never ends", { exp: undefined }, "claims"],
    ["that does not say when it was made", { iat: undefined }, "claims"],
    ["that was made too long ago", { iat: seconds(-62 * MINUTE), exp: seconds(MINUTE) }, "expired"],
    ["that was made in the future", { iat: seconds(5 * MINUTE), exp: seconds(10 * MINUTE) }, "claims"],
    ["that is not valid yet", { nbf: seconds(5 * MINUTE) }, "claims"],
    ["without a subject", { sub: undefined }, "claims"],
    ["whose subject has a star", { sub: "repo:shop/*:ref:refs/heads/main" }, "claims"],
    ["whose subject has a line break", { sub: "repo:shop/checkout\nx" }, "claims"],
    ["whose subject is an object", { sub: "x".repeat(600) }, "claims"],
  ])("%s is refused", async (_name, claims, reason) => {
    expect(await reasonOf(await server.sign(claims))).toBe(reason);
  });

  it("a minute early or late is taken: clocks differ", async () => {
    const issuer = await open();
    const late = await server.sign({ iat: seconds(-5 * MINUTE), exp: seconds(-30_000) });
    expect((await issuer.identify(late)).subject).toBe(SUBJECT);
    expect((await issuer.identify(await server.sign({ iat: seconds(30_000) }))).subject).toBe(SUBJECT);
  });

  it("that was changed, or signed by another key, is refused", async () => {
    const token = await server.sign();
    const [head, , signature] = token.split(".");
    const [, other] = (await server.sign({ sub: "repo:shop/evil:ref:refs/heads/main" })).split(".");
    expect(await reasonOf(`${head}.${other}.${signature}`)).toBe("signature");
    const stranger = { ...(await aKey("stranger")), id: "first" };
    expect(await reasonOf(await server.sign({}, stranger))).toBe("signature");
    expect(await reasonOf(await server.sign({}, await aKey("unknown")))).toBe("signature");
  });

  it("without a signature, or signed with the public key as if it were a secret, is refused", async () => {
    const claims = { sub: "x", iat: seconds(), exp: seconds(MINUTE), iss: server.url, aud: "gitspan" };
    const unsigned = new UnsecuredJWT(claims).encode();
    expect(["malformed", "algorithm"]).toContain(await reasonOf(`${unsigned}xx`));
    const secret = Buffer.from(JSON.stringify(server.keys[0]?.jwk));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "first" }).sign(secret);
    expect(await reasonOf(confused)).toBe("algorithm");
  });

  it("of an algorithm that is not listed is refused, though the key is known", async () => {
    server.keys = [...server.keys, await aKey("curve", "ES256"), await aKey("pss", "PS256")];
    const issuer = await open();
    expect((await issuer.identify(await server.sign({}, server.keys[1]))).subject).toBe(SUBJECT);
    expect(await reasonOf(await server.sign({}, server.keys[2]))).toBe("algorithm");
    expect(await reasonOf(await server.sign({}, server.keys[0]), { algorithms: ["ES256"] })).toBe("algorithm");
  });

  it("with a header that must be understood is refused", async () => {
    expect(await reasonOf(await server.sign({}, server.keys[0], { crit: ["x-unknown"], "x-unknown": 1 }))).toBe(
      "malformed",
    );
  });

  it.each(["a.b.c", `${"e".repeat(30)}.${"x".repeat(30)}.${"y".repeat(30)}`])("%j is refused", async (token) => {
    expect(await reasonOf(token)).toBe("malformed");
  });
});

describe("a subject that is made of claims", () => {
  it("has their values", async () => {
    const subject = "repo:{repository}:ref:{ref}:protected:{ref_protected}";
    const issuer = await open({ subject });
    const caller = await issuer.identify(await server.sign({ ref_protected: true }));
    expect(caller.subject).toBe("oidc:ci:repo:shop/checkout:ref:refs/heads/main:protected:true");
  });

  it.each<[string, Record<string, unknown>]>([
    ["a colon", { repository: "shop/evil:ref:refs/heads/main" }],
    ["a star", { repository: "shop/*" }],
    ["nothing", { repository: "" }],
    ["null", { repository: null }],
    ["a list", { repository: ["shop/checkout"] }],
    ["no value", { repository: undefined }],
    ["a space", { repository: "shop/a b" }],
  ])("is refused when one of them has %s", async (_name, claims) => {
    expect(await reasonOf(await server.sign(claims), { subject: "repo:{repository}:ref:{ref}" })).toBe("claims");
  });
});

describe("the source of a report", () => {
  const source = { repository: "https://github.com/{repository}", commit: "{sha}", ref: "{ref}" };
  const right = { repository: "https://github.com/shop/checkout.git", commit: "c".repeat(40), ref: "refs/heads/main" };

  it("has to be the one of the token", async () => {
    const caller = await (await open({ source })).identify(await server.sign());
    expect(() => caller.vouches(right)).not.toThrow();
    for (const wrong of [
      { repository: "https://github.com/shop/evil" },
      { commit: "d".repeat(40) },
      { ref: "refs/heads/other" },
      { ref: undefined },
    ]) {
      expect(() => caller.vouches({ ...right, ...wrong })).toThrow(
        expect.objectContaining({ code: "forbidden", reason: "another-source" }),
      );
    }
  });

  it("is not looked at where nothing is said of it", async () => {
    const caller = await (await open()).identify(await server.sign());
    expect(() =>
      caller.vouches({ repository: "https://elsewhere.example.com/x", commit: "d".repeat(40) }),
    ).not.toThrow();
  });

  it("cannot be told by a token that lacks the claim", async () => {
    expect(await reasonOf(await server.sign({ sha: undefined }), { source })).toBe("claims");
  });
});

describe("the keys", () => {
  const second = aKey("second");

  it("are asked for again when a token names another one, but not more than twice a minute", async () => {
    const issuer = await open();
    await issuer.identify(await server.sign());
    server.keys = [...server.keys, await second];
    const token = await server.sign({}, await second);
    await expect(issuer.identify(token)).rejects.toMatchObject({ reason: "signature" });
    clock.advance(31_000);
    expect((await issuer.identify(token)).subject).toBe(SUBJECT);
    const asked = server.requests.length;
    for (let count = 0; count < 20; count++) {
      const unknown = await server.sign({}, await aKey(`unknown-${count}`, "ES256"));
      await expect(issuer.identify(unknown)).rejects.toMatchObject({ reason: "signature" });
    }
    expect(server.requests).toHaveLength(asked);
  });

  it("that were withdrawn are not taken after ten minutes", async () => {
    const issuer = await open({ maxAgeMs: 24 * 60 * MINUTE });
    const token = await server.sign({ exp: seconds(60 * MINUTE) });
    await issuer.identify(token);
    const before = server.keys;
    server.keys = [await second];
    clock.advance(11 * MINUTE);
    await expect(issuer.identify(token)).rejects.toMatchObject({ reason: "signature" });
    server.keys = before;
  });

  it("are good for an hour while the issuer is away, and then nobody gets in: a 503", async () => {
    const issuer = await open({ maxAgeMs: 24 * 60 * MINUTE });
    const token = await server.sign({ exp: seconds(120 * MINUTE) });
    await issuer.identify(token);
    server.trouble = 503;
    clock.advance(50 * MINUTE);
    expect((await issuer.identify(token)).subject).toBe(SUBJECT);
    clock.advance(11 * MINUTE);
    await expect(issuer.identify(token)).rejects.toMatchObject({ code: "issuer-unavailable", transient: true });
    server.trouble = undefined;
    clock.advance(31_000);
    expect((await issuer.identify(token)).subject).toBe(SUBJECT);
  });

  it("are asked for once by many who come at the same time", async () => {
    const issuer = await open();
    const tokens = await Promise.all(Array.from({ length: 10 }, () => server.sign()));
    await Promise.all(tokens.map((token) => issuer.identify(token)));
    expect(server.requests).toHaveLength(2);
  });

  it.each<IssuerTrouble>([401, 404, 429, 500, "cut", "page", "huge", "redirect"])(
    "that cannot be had (%s) are a 503, not a 401",
    async (trouble) => {
      server.trouble = trouble;
      const issuer = await open();
      const failure = issuer.identify(await server.sign());
      await expect(failure).rejects.toMatchObject({ code: "issuer-unavailable", transient: true });
    },
  );

  it("that do not come in time are a 503", async () => {
    server.trouble = "silence";
    const failure = (await open()).identify(await server.sign()).catch((error: unknown) => error);
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_001);
    expect(await failure).toMatchObject({ code: "issuer-unavailable" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["at another host", { jwks_uri: "https://169.254.169.254/latest/meta-data" }],
    ["without encryption", { jwks_uri: "http://127.0.0.1:9/keys" }],
    ["nowhere", { jwks_uri: undefined }],
    ["for another issuer", { issuer: "https://other.example.com" }],
  ])("are not asked for where a discovery document names them %s", async (_name, discovery) => {
    server.discovery = discovery;
    await expect((await open()).identify(await server.sign())).rejects.toMatchObject({ code: "issuer-unavailable" });
    expect(server.requests).toEqual(["/.well-known/openid-configuration"]);
  });

  it("that are secrets, or none, are no keys", async () => {
    const jwksFile = join(directory, "secret.json");
    for (const content of ['{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', '{"keys":[]}', "{}", "no JSON"]) {
      await writeFile(jwksFile, content);
      await expect(open({ jwksFile })).rejects.toMatchObject({ code: "config-invalid" });
    }
    await expect(open({ jwksFile: join(directory, "nowhere") })).rejects.toMatchObject({ code: "config-invalid" });
    await expect(open({ caFile: join(directory, "nowhere") })).rejects.toMatchObject({ code: "config-invalid" });
  });

  it("of a server whose certificate is not trusted are not taken", async () => {
    const issuer = await open({ caFile: undefined });
    await expect(issuer.identify(await server.sign())).rejects.toMatchObject({ code: "issuer-unavailable" });
    expect(server.requests).toEqual([]);
  });
});
