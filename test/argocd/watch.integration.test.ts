import { afterEach, expect, test } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";
import { GitText, kustomization } from "./git-text.ts";
import { connected, eventually, type Started, startConnected } from "./simulated.ts";

const REPOSITORY = "https://git.example.com/gitops.git";
const DEV = "apps/checkout/overlays/dev/kustomization.yaml";
const PROD = "apps/checkout/overlays/prod/kustomization.yaml";
const dev = { cluster: "main", namespace: "argocd", name: "checkout-dev" };

let started: Started | undefined;
afterEach(async () => started?.close());

async function start(by: Parameters<typeof startConnected>[2] = {}): Promise<{ now: Started; git: GitText }> {
  const git = new GitText();
  git.commit({ [DEV]: kustomization("1.0.0"), [PROD]: kustomization("1.0.0") });
  const now = await startConnected(git, REPOSITORY, { kubernetes: true, rest: true, ...by });
  started = now;
  await connected(now);
  // Ready once the list is there; what these tests do to the watch needs the watch.
  await eventually(() => now.simulated.kubernetes.watched > 0);
  return { now, git };
}

/** A commit made now reaches the connection: the watch lives. */
async function assertFollows(now: Started, git: GitText): Promise<void> {
  const sha = git.commit({ [DEV]: kustomization(`2.${systemAmbient.clock.now()}`) });
  now.simulated.world.refresh("argocd", "checkout-dev");
  await eventually(async () => (await now.connection.snapshots(dev, undefined)).at(-1)?.revisions[0] === sha);
}

test("a list comes in pages and is complete before anything is answered", async () => {
  const names = Array.from({ length: 7 }, (_, number) => ({
    name: `app-${number}`,
    repoURL: REPOSITORY,
    branch: "main",
    path: "apps/checkout/overlays/dev",
  }));
  const { now } = await start({ server: { applications: names, maxPage: 3 } });
  expect(now.simulated.kubernetes.lists).toBe(3);
  const found = await now.connection.find({ repositoryUrl: REPOSITORY, branch: "main", paths: [DEV] });
  expect(found.get(DEV)).toHaveLength(7);
});

test("a watch that is cut goes on from its last version without listing again", async () => {
  const { now, git } = await start();
  const lists = now.simulated.kubernetes.lists;
  const watched = now.simulated.kubernetes.watched;
  now.simulated.kubernetes.dropWatches();
  await assertFollows(now, git);
  expect(now.simulated.kubernetes.lists).toBe(lists);
  expect(now.simulated.kubernetes.watched).toBeGreaterThan(watched);
});

test("a watch that is too old lists again and notices what went away meanwhile", async () => {
  const { now, git } = await start();
  const { kubernetes, world } = now.simulated;
  const lists = kubernetes.lists;
  const prod = { ...dev, name: "checkout-prod" };
  expect(await now.connection.snapshots(prod, undefined)).toHaveLength(1);
  kubernetes.muteWatches();
  world.delete("argocd", "checkout-prod");
  world.compact();
  kubernetes.dropWatches();
  await eventually(async () => (await now.connection.snapshots(prod, undefined)).length === 0);
  expect(kubernetes.lists).toBeGreaterThan(lists);
  await assertFollows(now, git);
});

test("a page that has expired begins the list anew", async () => {
  const { now, git } = await start({ server: { maxPage: 1 } });
  const { kubernetes, world } = now.simulated;
  const lists = kubernetes.lists;
  kubernetes.expireNextPage();
  world.compact();
  world.refresh("argocd", "checkout-dev");
  world.compact();
  kubernetes.sendGarbage('{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n');
  await assertFollows(now, git);
  // First page, refused second page, then both.
  await eventually(() => kubernetes.lists >= lists + 4);
  expect(now.connection.ready()[0]?.ok).toBe(true);
});

test("a half-open connection is noticed and opened again, from the version before the silence", async () => {
  const { now, git } = await start({ location: { idleMs: 300 } });
  const { lists, watched } = now.simulated.kubernetes;
  now.simulated.kubernetes.muteWatches();
  await assertFollows(now, git);
  expect(now.simulated.kubernetes.lists).toBe(lists);
  expect(now.simulated.kubernetes.watched).toBeGreaterThan(watched);
});

test("bookmarks alone keep a quiet watch open", async () => {
  const { now } = await start({ location: { idleMs: 1_000 }, server: { durations: { pollMs: 600_000 } } });
  const { bookmarks, watched } = now.simulated.kubernetes;
  await eventually(() => now.simulated.kubernetes.bookmarks >= bookmarks + 40);
  expect(now.simulated.kubernetes.watched).toBe(watched);
});

for (const [what, bytes] of [
  ["bytes that are no JSON", "<html>502 Bad Gateway</html>\n"],
  ["half a frame", '{"type":"MODIFIED","object":{"meta\n'],
  ["an event of an unknown type", '{"type":"SURPRISE","object":{}}\n'],
  ["an error that is not 410", '{"type":"ERROR","object":{"code":500,"reason":"InternalError","message":"etcd"}}\n'],
] as const) {
  test(`${what} on the watch: everything is listed again`, async () => {
    const { now, git } = await start();
    const lists = now.simulated.kubernetes.lists;
    now.simulated.kubernetes.sendGarbage(bytes);
    await eventually(() => now.simulated.kubernetes.lists > lists);
    await assertFollows(now, git);
    expect(now.connection.ready()[0]?.ok).toBe(true);
  });
}

for (const [status, word] of [
  [401, "401"],
  [403, "403"],
  [500, "500"],
] as const) {
  test(`an API that answers ${status} shows in readiness, and the watch comes back when it is over`, async () => {
    const { now, git } = await start();
    now.simulated.failWith(status);
    now.simulated.kubernetes.dropWatches();
    await eventually(() => now.connection.ready().some(({ detail }) => detail.includes(word)));
    now.simulated.failWith(undefined);
    await assertFollows(now, git);
    expect(now.connection.ready()[0]?.detail).toMatch(/^heard of \d+ s ago$/);
  });
}

test("a server that is started again is followed again", async () => {
  const { now, git } = await start();
  const port = Number(new URL(now.simulated.url).port);
  const firstVersion = now.simulated.world.version + 1_000;
  await now.simulated.close();
  const again = await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read: () => git.read() },
    {
      applications: [{ name: "checkout-dev", repoURL: REPOSITORY, branch: "main", path: "apps/checkout/overlays/dev" }],
      port,
      firstVersion,
    },
  );
  const sha = git.commit({ [DEV]: kustomization("4.0.0") });
  again.world.refresh("argocd", "checkout-dev");
  await eventually(async () => (await now.connection.snapshots(dev, undefined)).at(-1)?.revisions[0] === sha);
  expect(now.connection.ready()[0]?.ok).toBe(true);
  await again.close();
});

test("only the namespaces that are named are followed", async () => {
  const application = { repoURL: REPOSITORY, branch: "main", path: "apps/checkout/overlays/dev" };
  const applications = ["argocd", "team", "private"].map((namespace) => ({ ...application, namespace, name: "shop" }));
  const { now } = await start({ server: { applications }, location: { namespaces: ["argocd", "team"] } });
  const found = await now.connection.find({ repositoryUrl: REPOSITORY, branch: "main", paths: [DEV] });
  expect(
    found
      .get(DEV)
      ?.map(({ namespace }) => namespace)
      .toSorted(),
  ).toEqual(["argocd", "team"]);
  expect(now.connection.ready().map(({ name }) => name)).toEqual(["argocd/main/argocd", "argocd/main/team"]);
});

test("every change is told to whoever listens", async () => {
  const { now, git } = await start();
  const told: string[] = [];
  const stop = now.connection.onChange(({ name }) => told.push(name));
  await assertFollows(now, git);
  expect(told).toContain("checkout-dev");
  stop();
});
