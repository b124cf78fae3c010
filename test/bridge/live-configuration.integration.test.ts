import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { previewBuild } from "../../src/preview.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const IMAGE = "registry.example.com/shop/web";
const overlay = (tag: string) => `images:\n- name: ${IMAGE}\n  newTag: "${tag}"\n`;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let directory: string;
let configFile: string;
let git: GitServer;
let bridge: Bridge;
let token: string;
let versions = 0;

type Document = Record<string, unknown>;
let document: Document;

/** As Kubernetes updates a ConfigMap: a new folder, and one link moved over the old one. */
async function publish(text: string): Promise<void> {
  const folder = `..v${++versions}`;
  await mkdir(join(directory, folder));
  await writeFile(join(directory, folder, "gitspan.yaml"), text);
  await symlink(folder, join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-live-"));
  await chmod(directory, 0o711);
  git = await startGitServer();
  await git.createRepository("one", { "web/dev/kustomization.yaml": overlay("1") });
  await git.createRepository("two", { "web/dev/kustomization.yaml": overlay("4") });
  document = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: git.url("one") } },
    environments: { dev: {}, prod: {} },
    apps: {
      "{name}": {
        images: { app: "registry.example.com/shop/{name}" },
        targets: { "{env}": { kustomize: "{name}/{env}" } },
      },
    },
    access: [{ subject: "token:ci", actions: ["read", "deliver", "hold"], apps: ["*"], environments: ["*"] }],
  };
  await publish(stringify(document));
  configFile = join(directory, "gitspan.yaml");
  await symlink("..data/gitspan.yaml", configFile);
  bridge = await startBridge({ configFile, log: silent });
  const minted = mintToken();
  token = minted.token;
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash: minted.hash, groups: [] }));
});
afterAll(async () => {
  await bridge?.close();
  await git?.close();
  await rm(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${bridge.address}${path}`, init);
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : parse(text) };
}

interface Delivery {
  target: string;
  phase: string;
  outcome?: string;
  reason?: string;
  waitReason?: string;
  message?: string;
}
interface Build {
  id: string;
  deliveries: Delivery[];
}

const send = async (tag: string, run: Document = {}) => {
  const source = { repository: "https://git.example.com/shop/web.git", commit: "c".repeat(39) + tag.slice(-1) };
  const body = { images: [{ image: `${IMAGE}:${tag}` }], source, run: { kind: "R", name: tag, uid: tag, ...run } };
  return ((await call("POST", "/v1/builds", body)).body as Build).id;
};
const written = async (id: string) =>
  ((await call("GET", `/v1/builds/${id}?wait=30s&until=written`)).body as Build).deliveries;
const inDev = (deliveries: Delivery[]) => deliveries.find(({ target }) => target === "web/dev");
const tagIn = async (repository: string) =>
  /newTag: "(.+)"/.exec(
    await git.show(repository, (await git.tip(repository, "main")) ?? "", "web/dev/kustomization.yaml"),
  )?.[1];

interface Check {
  name: string;
  ok: boolean;
  detail: string;
}
const configurationCheck = async () => {
  const { status, body } = await call("GET", "/readyz?verbose");
  return { status, ...(body as { checks: Check[] }).checks.find(({ name }) => name === "configuration") };
};
async function checked(wanted: object): Promise<void> {
  await expect.poll(configurationCheck, { timeout: 20_000, interval: 100 }).toMatchObject(wanted);
}

describe("a bridge whose configuration changes", () => {
  it("delivers by a pattern, and leaves alone the environment where the app is not", async () => {
    const plan = { artifacts: [{ name: "web", repository: IMAGE, tag: "2" }] };
    const { targets } = await previewBuild(configFile, plan, new AbortController().signal);
    expect(targets).toMatchObject([
      { target: "web/dev", diff: expect.stringContaining('+  newTag: "2"'), applications: [] },
    ]);
    expect((await call("POST", "/v1/plans", { images: [{ image: `${IMAGE}:2` }] })).body).toEqual({
      targets,
      misses: [],
    });
    expect(await tagIn("one")).toBe("1");

    const deliveries = await written(await send("2"));
    expect(inDev(deliveries)).toMatchObject({ phase: "following" });
    expect(deliveries.find(({ target }) => target === "web/prod")).toMatchObject({
      outcome: "cancelled",
      reason: "target-removed",
    });
    expect(await tagIn("one")).toBe("2");
  });

  it("keeps a build that is held until the hold is removed", async () => {
    const hold = await call("POST", "/v1/holds", { target: "web/dev", why: "a look first" });
    expect(hold.status).toBe(201);
    const id = await send("3");
    const one = async () => inDev(((await call("GET", `/v1/builds/${id}`)).body as Build).deliveries);
    await expect.poll(one, { timeout: 20_000 }).toMatchObject({ phase: "waiting", waitReason: "hold" });
    expect((await call("DELETE", `/v1/holds/${(hold.body as Build).id}`)).status).toBe(204);
    expect(inDev(await written(id))).toMatchObject({ phase: "following" });
  });

  it("delivers nothing that finished long before the target was known", async () => {
    const old = inDev(await written(await send("0", { finishedAt: "2020-01-01T00:00:00Z" })));
    expect(old).toMatchObject({ outcome: "cancelled", reason: "closed" });
    expect(await tagIn("one")).toBe("3");
  });

  it("works on with the last good one while the file is broken, and says where", async () => {
    await publish(stringify({ ...document, lisen: "127.0.0.1:1" }));
    await checked({ status: 200, ok: false, detail: expect.stringMatching(/gitspan\.yaml:\d+:1: lisen: unknown key/) });
    expect(inDev(await written(await send("4")))).toMatchObject({ phase: "following" });
  });

  it("writes to another repository once the repaired file says so", async () => {
    const moved = { ...document, repositories: { gitops: { url: git.url("two") } }, metricsListen: "127.0.0.1:0" };
    await publish(stringify(moved));
    await checked({
      status: 200,
      ok: false,
      detail: expect.stringContaining("changes of metricsListen need a restart"),
    });
    await publish(stringify({ ...moved, metricsListen: undefined }));
    await checked({ ok: true });
    expect(inDev(await written(await send("5")))).toMatchObject({ phase: "following" });
    expect([await tagIn("one"), await tagIn("two")]).toEqual(["4", "5"]);
  });

  it("refuses what an access rule no longer allows", async () => {
    await publish(stringify({ ...document, access: [] }));
    await bridge.reload();
    expect((await call("GET", "/v1/targets")).body).toEqual({ items: [] });
    const { status } = await call("POST", "/v1/holds", { target: "web/dev", why: "w" });
    expect(status).toBe(404);
  });
});
