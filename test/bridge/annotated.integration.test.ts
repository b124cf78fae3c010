import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { systemAmbient } from "../../src/ambient.ts";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { previewBuild } from "../../src/preview.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { type SimulatedArgoCd, startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";

const SHOP = "registry.example.com/shop";
const overlay = (name: string, tag: string) => `images:\n- name: ${SHOP}/${name}\n  newTag: "${tag}"\n`;
const images = (name: string, more: Record<string, string> = {}) => ({
  "gitspan.dev/images": `${name}=${SHOP}/${name}`,
  ...more,
});
const UNLISTED = "strange";

let directory: string;
let git: GitServer;
let argocd: SimulatedArgoCd;
let bridge: Bridge;
let configFile: string;
let token: string;
let commits = 0;

const FILES = {
  "apps/cart/dev/kustomization.yaml": overlay("cart", "1"),
  "apps/late/dev/kustomization.yaml": overlay("late", "1"),
  "apps/strange/dev/kustomization.yaml": overlay("strange", "1"),
  "apps/shared/dev/kustomization.yaml": overlay("shared", "1"),
  "apps/exact/dev/kustomization.yaml": overlay("exact", "1"),
  "other/out/kustomization.yaml": overlay("out", "1"),
};

async function bridgeWith(argocdConfiguration: object): Promise<void> {
  configFile = join(directory, "gitspan.yaml");
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: git.url("gitops") } },
    argocd: { main: argocdConfiguration },
    environments: { dev: { settle: "1s", degradedAfter: "4s", timeout: "2m" } },
    apps: { exact: { images: { exact: `${SHOP}/exact` }, targets: { dev: { kustomize: "apps/exact/dev" } } } },
    annotated: [
      {
        projects: ["team-*"],
        environments: ["dev"],
        paths: ["apps/*"],
        from: { repository: "https://git.example.com/shop/*", branches: ["main"] },
      },
    ],
    access: [
      { subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] },
      { subject: "token:cart", actions: ["deliver"], apps: ["cart-dev"], environments: ["dev"] },
    ],
  };
  await writeFile(configFile, stringify(configuration));
  bridge = await startBridge({ configFile, log: { debug() {}, info() {}, warn() {}, error() {} } });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-annotated-"));
  await chmod(directory, 0o711);
  git = await startGitServer();
  await git.createRepository("gitops", FILES);
  await git.createRepository("unlisted", { "apps/gone/dev/kustomization.yaml": overlay("gone", "1") });
  const application = (name: string, path: string, annotations: Record<string, string>, project = "team-a") => ({
    name,
    path,
    annotations,
    project,
    repoURL: git.url("gitops"),
    branch: "main",
  });
  argocd = await startSimulatedArgoCd(
    {
      clock: systemAmbient.clock,
      async read(branch, repoURL) {
        const repository = repoURL.endsWith("unlisted.git") ? "unlisted" : "gitops";
        const sha = (await git.tip(repository, branch)) ?? "";
        return { sha, file: (path: string) => git.show(repository, sha, path).catch(() => undefined) };
      },
    },
    {
      applications: [
        application("cart-dev", "apps/cart/dev", images("cart")),
        application("late-dev", "apps/late/dev", {}),
        application("strange-dev", "apps/strange/dev", images("strange"), UNLISTED),
        application("shared-one", "apps/shared/dev", images("shared")),
        application("shared-two", "apps/shared/dev", images("shared")),
        application("exact-dev", "apps/exact/dev", images("exact")),
        application("out-dev", "other/out", images("out")),
        { ...application("gone-dev", "apps/gone/dev", images("gone")), repoURL: git.url("unlisted") },
        application("bad-dev", "apps/bad/dev", { "gitspan.dev/images": `${SHOP}/bad` }),
      ],
    },
  );
  const kubeconfigFile = join(directory, "kubeconfig");
  await writeFile(kubeconfigFile, argocd.kubeconfig);
  await writeFile(join(directory, "argocd-token"), argocd.token);
  await bridgeWith({ kubernetes: { kubeconfigFile }, server: argocd.url, tokenFile: join(directory, "argocd-token") });
  const minted = mintToken();
  token = minted.token;
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash: minted.hash, groups: [] }));
});
afterAll(async () => {
  await bridge?.close();
  await argocd?.close();
  await git?.close();
  await rm(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const response = await fetch(`${bridge.address}${path}`, init);
  return { status: response.status, body: await response.json() };
}

interface Build {
  id: string;
  code?: string;
  detail?: string;
  deliveries: { id: string; target: string; phase: string; outcome?: string; reason?: string; message?: string }[];
}

const reportOf = (name: string, tag: string, repository = `https://git.example.com/shop/${name}.git`) => {
  const commit = String(++commits).padStart(40, "a");
  const run = { kind: "PipelineRun", name: `${name}-${tag}`, uid: `${name}-${tag}-${commits}` };
  return { images: [{ image: `${SHOP}/${name}:${tag}` }], source: { repository, commit, ref: "refs/heads/main" }, run };
};
const send = async (...args: Parameters<typeof reportOf>) => {
  const { status, body } = await call("POST", "/v1/builds", reportOf(...args));
  return { status, body: body as Build };
};
const buildAt = async (path: string) => ((await call("GET", path)).body as Build).deliveries;
const done = (id: string) => buildAt(`/v1/builds/${id}?wait=60s&until=done`);
const tagOf = async (name: string) =>
  /newTag: "(.+)"/.exec(await git.show("gitops", "main", `apps/${name}/dev/kustomization.yaml`))?.[1];

interface Targets {
  items: { id: string; applications?: string[]; problem?: { message: string; hint: string } }[];
  refused?: { application: string; message: string; hint: string }[];
}
const targets = async () => (await call("GET", "/v1/targets")).body as Targets;
const known = async (id: string) => (await targets()).items.some((one) => one.id === id);
const late = async () => ((await call("GET", "/v1/deliveries?app=late")).body as { items: Build["deliveries"] }).items;

describe("a bridge that lets Applications of a project be targets", () => {
  it("delivers to an annotated Application, and follows it until it runs", async () => {
    await expect.poll(() => known("cart-dev/dev"), { timeout: 20_000 }).toBe(true);
    const { status, body } = await send("cart", "2");
    expect([status, body.deliveries.map(({ target }) => target)]).toEqual([202, ["cart-dev/dev"]]);
    expect(await done(body.id)).toMatchObject([{ phase: "done", outcome: "healthy" }]);
    expect(await tagOf("cart")).toBe("2");
    expect((await call("GET", "/v1/targets/cart-dev/dev")).body).toMatchObject({
      applications: ["main/argocd/cart-dev"],
    });
  });

  it("says of every other annotated Application why it is none, and takes no build for it", async () => {
    const ready = (await (await fetch(`${bridge.address}/readyz?verbose`)).json()) as { checks: unknown[] };
    expect(ready.checks).toContainEqual(
      expect.objectContaining({
        name: "annotated Applications",
        ok: true,
        detail: expect.stringContaining("5 targets, 4 of which cannot be written, 0 not known yet, 3 refused"),
      }),
    );
    const { items, refused = [] } = await targets();
    expect(items.map(({ id }) => id)).toEqual([
      "cart-dev/dev",
      "exact-dev/dev",
      "exact/dev",
      "out-dev/dev",
      "shared-one/dev",
      "shared-two/dev",
    ]);
    const problems = new Map(items.map(({ id, problem }) => [id, problem?.message]));
    expect(problems.get("shared-one/dev")).toContain(
      "main/argocd/shared-two renders apps/shared/dev/kustomization.yaml",
    );
    expect(problems.get("shared-two/dev")).toContain("main/argocd/shared-one renders");
    expect(problems.get("exact-dev/dev")).toContain("exact/dev of the configuration writes");
    expect(problems.get("out-dev/dev")).toContain("other/out/kustomization.yaml is none of the files");
    expect(refused.map(({ application, message }) => [application, message.replace(/^.*no target: /, "")])).toEqual([
      ["main/argocd/bad-dev", expect.stringContaining("in gitspan.dev/images is no name of an image")],
      ["main/argocd/gone-dev", "none of its sources is a folder of a listed repository"],
      ["main/argocd/strange-dev", "its project strange is not listed"],
    ]);
    for (const [name, why] of [
      ["strange", "its project strange is not listed"],
      ["gone", "none of its sources is a folder of a listed repository"],
      ["shared", "renders apps/shared/dev/kustomization.yaml too"],
      ["out", "is none of the files"],
    ] as const) {
      const { status, body } = await send(name, "2");
      expect([name, status, body.code, body.detail]).toEqual([name, 422, "no-target", expect.stringContaining(why)]);
    }
    const { body } = await send("exact", "2");
    expect(body.deliveries.map(({ target }) => target)).toEqual(["exact/dev"]);
  });

  it("takes builds only from where the configuration says, and only of who may deliver that app", async () => {
    const elsewhere = await send("cart", "3", "https://git.example.com/evil/cart.git");
    expect([elsewhere.status, elsewhere.body.detail]).toEqual([422, expect.stringContaining("wants builds from")]);
    const minted = mintToken();
    await withStore(configFile, (store) => store.createToken({ name: "cart", hash: minted.hash, groups: [] }));
    const mine = token;
    token = minted.token;
    expect((await send("cart", "3")).status).toBe(202);
    token = mine;
  });

  it("plans for it without a server", async () => {
    const artifacts = [{ name: "cart", repository: `${SHOP}/cart`, tag: "9" }];
    const { targets: planned } = await previewBuild(configFile, { artifacts }, new AbortController().signal);
    expect(planned).toMatchObject([{ target: "cart-dev/dev", diff: expect.stringContaining('+  newTag: "9"') }]);
  });

  it("takes up an annotation that comes later, and finds its file wherever it has moved to", async () => {
    expect((await send("late", "2")).status).toBe(422);
    argocd.world.annotate("argocd", "late-dev", images("late", { "gitspan.dev/app": "late" }));
    await expect.poll(() => known("late/dev"), { timeout: 20_000 }).toBe(true);
    await git.commit(
      "gitops",
      {
        "apps/late/dev/kustomization.yaml": "components: [part]\n",
        "apps/late/dev/part/kustomization.yaml": `kind: Component\n${overlay("late", "1")}`,
      },
      "move it",
    );
    const { body } = await send("late", "3");
    const written = async () => (await buildAt(`/v1/builds/${body.id}`))[0]?.phase;
    await expect.poll(written, { timeout: 20_000 }).toBe("following");
    expect(await git.show("gitops", "main", "apps/late/dev/part/kustomization.yaml")).toContain('newTag: "3"');
  });

  it("keeps what is on its way over a restart, also while Argo CD does not answer", async () => {
    argocd.failWith(503);
    await bridge.close();
    await bridgeWith({ server: argocd.url, tokenFile: join(directory, "argocd-token") });
    const refused = await send("cart", "4");
    expect([refused.status, refused.body.code]).toEqual([503, "targets-unknown"]);
    expect(await late()).toMatchObject([{ phase: "following" }]);
    argocd.failWith(undefined);
    await expect.poll(() => known("late/dev"), { timeout: 30_000 }).toBe(true);
  });

  it("ends what is on its way to an Application that loses its annotation, over REST too", async () => {
    argocd.world.annotate("argocd", "late-dev", {});
    await expect.poll(late, { timeout: 30_000 }).toMatchObject([{ outcome: "cancelled", reason: "target-removed" }]);
    expect((await send("late", "4")).status).toBe(422);
    expect(await known("late/dev")).toBe(false);
  });
});
