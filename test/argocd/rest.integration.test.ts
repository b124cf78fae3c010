import { afterEach, expect, test } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { connectArgoCd } from "../../src/argocd/connection.ts";
import { ArgoCdRest } from "../../src/argocd/rest.ts";
import { type RecordedServer, serveRecorded } from "./recorded-server.ts";
import { eventually, silent } from "./simulated.ts";

const LIST = "/api/v1/applications";
const WEB = "/api/v1/applications/web-dev";
const STREAM = "/api/v1/stream/applications";
const web = { cluster: "main", namespace: "argocd", name: "web-dev" };
const signal = new AbortController().signal;
let server: RecordedServer | undefined;
afterEach(async () => server?.close());

async function recorded(answers: Record<string, string>): Promise<{ rest: ArgoCdRest; server: RecordedServer }> {
  const now = await serveRecorded(answers);
  server = now;
  const rest = await ArgoCdRest.open({ url: `${now.url}/`, token: async () => " token\n", caFile: undefined });
  return { rest, server: now };
}

async function connectTo(now: RecordedServer) {
  return connectArgoCd({ ambient: systemAmbient, log: silent }, [
    {
      name: "main",
      kubernetes: undefined,
      server: { url: now.url, token: async () => "token" },
      caFile: undefined,
      namespaces: ["argocd"],
      refreshByAnnotation: false,
    },
  ]);
}

test("a list is read, with the token freed of its white space", async () => {
  const { rest, server } = await recorded({ [LIST]: "list-all" });
  const all = await rest.list(systemAmbient.clock, "main", signal);
  expect(all.map(({ ref }) => ref.name)).toContain("web-dev");
  expect(all.every(({ sync }) => sync !== "")).toBe(true);
  expect(server.requests[0]).toMatch(/^authorization: Bearer token\r$/im);
});

test("an empty list comes as `items: null`", async () => {
  const { rest } = await recorded({ [LIST]: "list-selector-empty" });
  expect(await rest.list(systemAmbient.clock, "main", signal)).toEqual([]);
});

test("one Application is read, and asked for by namespace and project", async () => {
  const { rest, server } = await recorded({ [WEB]: "get-ok-project" });
  expect((await rest.get(web, "default", signal)).ref).toEqual(web);
  expect(server.requests[0]).toMatch(/^GET \/api\/v1\/applications\/web-dev\?appNamespace=argocd&project=default /);
});

test("an inspection reads the Pods, and what keeps Argo CD from syncing", async () => {
  const { server } = await recorded({
    [LIST]: "list-all",
    [`${WEB}/resource-tree`]: "resource-tree",
    [`${WEB}/syncwindows`]: "syncwindows",
  });
  const connection = await connectTo(server);
  const { pods, health } = await connection.inspect(web, "workloads", signal);
  expect(pods?.map(({ reason }) => reason)).toContain("Running");
  const images = [...new Set(pods?.flatMap((pod) => pod.images))];
  expect(health).toMatchObject([{ resource: "Deployment/shop-dev/web", images }]);
  expect(await connection.inspect(web, "policy", signal)).toEqual({ kind: "policy", canSync: true });
  // Not recorded: the answer is 500, and proves nothing.
  const unknown = { ...web, name: "web-prod" };
  expect(await connection.inspect(unknown, "workloads", signal)).toEqual({ kind: "workloads" });
  await connection.close();
});

test("a refresh is a read that asks for it", async () => {
  const { rest, server } = await recorded({ [WEB]: "get-refresh-normal" });
  await rest.refresh(web, "default", signal);
  expect(server.requests[0]).toContain("refresh=normal");
});

for (const [recording, code] of [
  ["get-no-token", "argocd-auth"],
  ["get-bad-token", "argocd-auth"],
  ["get-missing-no-project", "argocd-forbidden"],
  ["get-wrong-project", "argocd-not-found"],
] as const) {
  test(`${recording} is ${code}, with Argo CD's words and without the token`, async () => {
    const { rest } = await recorded({ [WEB]: recording });
    const refused = await rest.get(web, undefined, signal).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code, transient: false });
    expect(String(refused)).toMatch(/answered 40[134]: \w+/);
    expect(JSON.stringify(refused) + String((refused as Error).cause)).not.toContain("Bearer");
  });
}

test("a refresh while the controller is down hangs until its caller gives up", async () => {
  const { rest, server } = await recorded({ [WEB]: "get-refresh-controller-down" });
  const giveUp = new AbortController();
  const refreshed = rest.refresh(web, undefined, giveUp.signal);
  await eventually(() => server.requests.length === 1);
  giveUp.abort(new Error("enough"));
  await expect(refreshed).rejects.toThrow("enough");
});

test("a stream of server-sent events is followed, heartbeats and all", async () => {
  server = await serveRecorded({ [LIST]: "list-all", [STREAM]: "stream-sse" });
  const connection = await connectTo(server);
  const phases = new Set<string | undefined>();
  await eventually(async () => {
    const seen = await connection.snapshots(web, "0").catch(() => []);
    for (const { operation } of seen) phases.add(operation?.phase);
    return seen.at(-1)?.summaryImages.join() === "127.0.0.1:5000/shop/web:1.0.5" && phases.has("Running");
  });
  expect(connection.ready()).toMatchObject([{ name: "argocd/main", ok: true }]);
  await connection.close();
});

test("a stream without the right to it shows in readiness, and is asked for again", async () => {
  const now = await serveRecorded({ [LIST]: "list-all", [STREAM]: "stream-noauth" });
  server = now;
  const connection = await connectTo(now);
  await eventually(() => now.requests.filter((head) => head.includes(STREAM)).length >= 2);
  expect(connection.ready()[0]?.detail).toContain("401");
  await connection.close();
});

test("something else than Argo CD is told apart from it", async () => {
  const { rest } = await recorded({});
  await expect(rest.list(systemAmbient.clock, "main", signal)).rejects.toMatchObject({
    code: "argocd-unreachable",
    transient: true,
  });
});
