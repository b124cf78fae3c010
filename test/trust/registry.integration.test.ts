import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { digestOf } from "../../src/trust/registry.ts";
import { RegistryServer } from "../fakes/registry-server.ts";
import { aRegistry, DIGEST, MANIFEST } from "./registry-subject.ts";

const signal = AbortSignal.timeout(60_000);
const blob = { kind: "blobs", digest: DIGEST, maxBytes: 1_000 } as const;
const tls = (file: string) => readFileSync(new URL(`../golden/git/tls/${file}`, import.meta.url));

let server: RegistryServer;
let other: RegistryServer;
beforeEach(async () => {
  server = await RegistryServer.start(() => ({ status: 200, body: MANIFEST }));
  other = await RegistryServer.start(() => ({ status: 200, body: MANIFEST }));
});
afterEach(async () => {
  await server.close();
  await other.close();
});

describe("a tag", () => {
  it("is resolved to the digest of the bytes, which of an index is the index's", async () => {
    const { registry, counted } = aRegistry({ address: server.address });
    expect(await registry.manifestOf("shop/checkout", "1.0", signal)).toMatchObject({ digest: DIGEST });
    expect(server.asked.map(({ url }) => url)).toEqual(["/v2/shop/checkout/manifests/1.0"]);
    expect(counted).toEqual(["found"]);
  });

  it("that is not there is undefined", async () => {
    server.respond = () => undefined;
    const { registry, counted } = aRegistry({ address: server.address });
    expect(await registry.manifestOf("shop/checkout", "1.0", signal)).toBeUndefined();
    expect(counted).toEqual(["absent"]);
  });

  it("is refused when the registry names another digest than that of its bytes", async () => {
    const headers = { "docker-content-digest": digestOf(Buffer.from("something else")) };
    server.respond = () => ({ status: 200, headers, body: MANIFEST });
    const { registry } = aRegistry({ address: server.address });
    await expect(registry.manifestOf("shop/checkout", "1.0", signal)).rejects.toMatchObject({
      code: "registry-protocol",
    });
  });
});

describe("what a digest names", () => {
  it("is refused when the bytes are others", async () => {
    server.respond = () => ({ status: 200, body: "other bytes" });
    const { registry } = aRegistry({ address: server.address });
    const error = { code: "registry-protocol", message: expect.stringContaining("gives other bytes than") };
    await expect(registry.content("shop/checkout", blob, signal)).rejects.toMatchObject(error);
  });

  it("is not read when it is larger than what was asked for", async () => {
    server.respond = () => ({ status: 200, body: Buffer.alloc(5_000) });
    const { registry } = aRegistry({ address: server.address });
    const error = { code: "registry-protocol", message: expect.stringContaining("more than 1000 bytes") };
    await expect(registry.content("shop/checkout", blob, signal)).rejects.toMatchObject(error);
  });

  it("is fetched once when it is a blob", async () => {
    const { registry } = aRegistry({ address: server.address });
    await registry.content("shop/checkout", blob, signal);
    expect(await registry.content("shop/checkout", blob, signal)).toEqual(MANIFEST);
    expect(server.asked).toHaveLength(1);
  });

  it("comes from a mirror, which is given no credentials", async () => {
    const credentials = async () => ({ kind: "basic", username: "ci", password: "secret" }) as const;
    const { registry } = aRegistry({ address: server.address, mirrors: [other.address], credentials });
    expect(await registry.content("shop/checkout", blob, signal)).toEqual(MANIFEST);
    expect(other.asked).toEqual([{ url: `/v2/shop/checkout/blobs/${DIGEST}`, authorization: undefined }]);
    expect(server.asked).toEqual([]);
  });

  it.each([
    ["has nothing", { status: 404 }],
    ["lies", { status: 200, body: "other bytes" }],
    ["is broken", { status: 500 }],
    ["wants a login", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }],
  ])("comes from the registry when the mirror %s", async (_what, reply) => {
    other.respond = () => reply;
    const { registry } = aRegistry({ address: server.address, mirrors: [other.address] });
    expect(await registry.content("shop/checkout", blob, signal)).toEqual(MANIFEST);
    expect(server.asked).toHaveLength(1);
  });

  it("is the only thing that a mirror is asked for: its tags may be old", async () => {
    const { registry } = aRegistry({ address: server.address, mirrors: [other.address] });
    await registry.manifestOf("shop/checkout", "1.0", signal);
    await registry.referrers("shop/checkout", DIGEST, signal);
    expect(other.asked).toEqual([]);
  });
});

describe("a registry that cannot answer now", () => {
  it("is asked again after the time that it wants", async () => {
    let times = 0;
    server.respond = () =>
      ++times === 1 ? { status: 429, headers: { "retry-after": "1" } } : { status: 200, body: MANIFEST };
    const slept: number[] = [];
    const clock = { now: systemAmbient.clock.now, sleep: quick(slept) };
    const { registry, counted } = aRegistry({ address: server.address }, clock);
    expect(await registry.manifestOf("shop/checkout", "1.0", signal)).toMatchObject({ digest: DIGEST });
    expect(slept).toEqual([1_000]);
    expect(counted).toEqual(["limited", "found"]);
  });

  it("is left alone when it wants more time than a moment", async () => {
    server.respond = () => ({ status: 429, headers: { "retry-after": "300" } });
    const { registry } = aRegistry({ address: server.address });
    const error = { code: "registry-unreachable", transient: true, retryAfterMs: 300_000 };
    await expect(registry.manifestOf("shop/checkout", "1.0", signal)).rejects.toMatchObject(error);
    expect(server.asked).toHaveLength(1);
  });

  it("is worth another try later", async () => {
    server.respond = () => ({ status: 503 });
    const { registry } = aRegistry({ address: server.address });
    const error = { code: "registry-unreachable", transient: true };
    await expect(registry.manifestOf("shop/checkout", "1.0", signal)).rejects.toMatchObject(error);
  });

  it("is not waited for without end", async () => {
    const stalled = createServer();
    const clock = { now: systemAmbient.clock.now, sleep: async (_ms: number, signal?: AbortSignal) => soon(signal) };
    const port = await portOf(stalled);
    const { registry } = aRegistry({ address: `http://127.0.0.1:${port}` }, clock);
    const error = { code: "registry-unreachable", message: expect.stringContaining("within 20 s") };
    await expect(registry.manifestOf("shop/checkout", "1.0", signal)).rejects.toMatchObject(error);
    stalled.close();
  });

  it("ends with the caller's signal", async () => {
    const abort = new AbortController();
    server.respond = () => {
      abort.abort(new Error("enough"));
      return { status: 200, body: MANIFEST };
    };
    const { registry } = aRegistry({ address: server.address });
    await expect(registry.manifestOf("shop/checkout", "1.0", abort.signal)).rejects.toThrow("enough");
  });
});

describe("a redirect", () => {
  const credentials = async () => ({ kind: "basic", username: "ci", password: "secret" }) as const;
  const redirectTo = (location: string) => () => ({ status: 307, headers: { location } });

  it("of a blob is followed to https, without credentials", async () => {
    const seen: (string | undefined)[] = [];
    const store = https.createServer({ key: tls("key.pem"), cert: tls("cert.pem") }, (request, response) => {
      seen.push(request.headers.authorization);
      response.end(MANIFEST);
    });
    const port = await portOf(store);
    server.respond = ({ headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
        : redirectTo(`https://127.0.0.1:${port}/store/blob?signed=1`)();
    const ca = tls("cert.pem").toString("utf8");
    const { registry } = aRegistry({ address: server.address, credentials, ca });
    expect(await registry.content("shop/checkout", blob, signal)).toEqual(MANIFEST);
    expect(seen).toEqual([undefined]);
    store.closeAllConnections();
    store.close();
  });

  it("of a blob is not followed into the clear", async () => {
    server.respond = redirectTo(`${other.address}/blob`);
    const { registry } = aRegistry({ address: server.address });
    await expect(registry.content("shop/checkout", blob, signal)).rejects.toMatchObject({ code: "registry-protocol" });
    expect(other.asked).toEqual([]);
  });

  it("of a manifest is not followed at all", async () => {
    server.respond = redirectTo("https://localhost:9/elsewhere");
    const { registry } = aRegistry({ address: server.address });
    await expect(registry.manifestOf("shop/checkout", "1", signal)).rejects.toMatchObject({
      code: "registry-protocol",
    });
  });
});

async function portOf(listener: Server): Promise<number> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return (listener.address() as AddressInfo).port;
}

function quick(slept: number[]) {
  return async (ms: number, stop?: AbortSignal): Promise<void> => {
    // The time limit of a request is not what is waited for here.
    if (ms >= 20_000) return await systemAmbient.clock.sleep(ms, stop);
    slept.push(ms);
  };
}

async function soon(stop: AbortSignal | undefined): Promise<void> {
  await systemAmbient.clock.sleep(50, stop);
}
