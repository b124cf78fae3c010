import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const APPS = Array.from({ length: 200 }, (_, index) => `app-${String(index).padStart(3, "0")}`);
const overlayOf = (app: string) => `apps/${app}/overlays/dev`;
const imageOf = (app: string) => `registry.example.com/shop/${app}`;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let directory: string;
let git: GitServer;
let bridge: Bridge;
let token: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-burst-"));
  await chmod(directory, 0o711);
  git = await startGitServer();
  await git.createRepository(
    "gitops",
    Object.fromEntries(
      APPS.map((app) => [`${overlayOf(app)}/kustomization.yaml`, `images:\n- name: ${imageOf(app)}\n  newTag: "1"\n`]),
    ),
  );
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(
    configFile,
    stringify({
      apiVersion: "gitspan.dev/v1alpha1",
      kind: "Bridge",
      listen: "127.0.0.1:0",
      database: { embedded: join(directory, "data") },
      repositories: { gitops: { url: git.url("gitops") } },
      environments: { dev: {} },
      apps: Object.fromEntries(
        APPS.map((app) => [app, { images: { [app]: imageOf(app) }, targets: { dev: { kustomize: overlayOf(app) } } }]),
      ),
      access: [{ subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
    }),
  );
  bridge = await startBridge({ configFile, log: silent });
  const minted = mintToken();
  token = minted.token;
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash: minted.hash, groups: [] }));
});

afterAll(async () => {
  await bridge.close();
  await git.close();
  await rm(directory, { recursive: true, force: true });
});

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${bridge.address}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });

it("takes 200 builds at the same moment and writes each of them once, on a default PostgreSQL", async () => {
  const responses = await Promise.all(
    APPS.map((app, index) =>
      call("/v1/builds", {
        method: "POST",
        body: JSON.stringify({
          images: [{ image: `${imageOf(app)}:2.${index}` }],
          source: { repository: "https://git.example.com/shop/all.git", commit: "a".repeat(40) },
          run: { kind: "PipelineRun", name: app, uid: app },
        }),
      }),
    ),
  );
  expect(responses.map((response) => response.status)).toEqual(APPS.map(() => 202));

  const builds = (await Promise.all(responses.map((response) => response.json()))) as { id: string }[];
  for (const { id } of builds) {
    await expect
      .poll(async () => await (await call(`/v1/builds/${id}?wait=30s&until=written`)).json(), {
        timeout: 60_000,
      })
      .toMatchObject({ written: true, deliveries: [{ phase: "following" }] });
  }

  const messages = (await git.log("gitops")).map((commit) => commit.message);
  const delivered = messages.flatMap((message) => /^Gitspan-Target: (.*)$/m.exec(message)?.[1] ?? []);
  expect(delivered.toSorted()).toEqual(APPS.map((app) => `${app}/dev`));
  for (const [index, app] of APPS.entries()) {
    expect(await git.show("gitops", "main", `${overlayOf(app)}/kustomization.yaml`)).toContain(`newTag: "2.${index}"`);
  }
  await git.fsck("gitops");
});
