import { expect, test } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { connectArgoCd } from "../../src/argocd/connection.ts";
import type { ArgoCd } from "../../src/delivery/ports.ts";
import { argoCdContract, REPOSITORY_URL } from "../contracts/argocd.ts";
import { GitText, kustomization } from "./git-text.ts";
import { connected, eventually, silent, startConnected } from "./simulated.ts";

for (const [name, by] of [
  ["watch and REST refresh", { kubernetes: true, rest: true }],
  ["watch and annotation", { kubernetes: true, location: { refreshByAnnotation: true } }],
  ["REST alone", { rest: true }],
] as const) {
  argoCdContract(`the connection by ${name}`, async (git, repositoryUrl) => {
    const started = await startConnected(git, repositoryUrl, by);
    await connected(started);
    const argocd: ArgoCd = started.connection;
    const annotate = (app: string, annotations: Record<string, string>) =>
      started.simulated.world.annotate("argocd", app, annotations);
    return { argocd, annotate, pass: async () => systemAmbient.clock.sleep(5), close: async () => started.close() };
  });
}

test("before the first list nothing is said to be missing", async () => {
  const connection = await connectArgoCd({ ambient: systemAmbient, log: silent }, [
    {
      name: "main",
      kubernetes: undefined,
      server: { url: "http://127.0.0.1:9", token: async () => "none" },
      caFile: undefined,
      namespaces: [],
      refreshByAnnotation: false,
    },
  ]);
  const wanted = { repositoryUrl: REPOSITORY_URL, branch: "main", paths: ["a/kustomization.yaml"] };
  await expect(connection.find(wanted)).rejects.toMatchObject({ code: "argocd-unreachable", transient: true });
  await expect(connection.annotated()).rejects.toMatchObject({ code: "argocd-unreachable", transient: true });
  await eventually(() => connection.ready().every(({ detail }) => detail.includes("cannot be reached")));
  expect(connection.ready()).toMatchObject([{ name: "argocd/main", ok: false }]);
  await connection.close();
});

test("a cluster that is not configured is refused by name", async () => {
  const connection = await connectArgoCd({ ambient: systemAmbient, log: silent }, []);
  const ref = { cluster: "elsewhere", namespace: "argocd", name: "checkout" };
  await expect(connection.snapshots(ref, undefined)).rejects.toMatchObject({ code: "argocd-not-found" });
  await connection.close();
});

test("a refresh resolves although the application controller is down", async () => {
  const git = new GitText();
  git.commit({ "apps/checkout/overlays/dev/kustomization.yaml": kustomization("1.0.0") });
  const started = await startConnected(git, REPOSITORY_URL, { kubernetes: true, rest: true });
  await connected(started);
  started.simulated.world.setController(false);
  const ref = { cluster: "main", namespace: "argocd", name: "checkout-dev" };
  await started.connection.refresh(ref, new AbortController().signal);
  const newest = async () => (await started.connection.snapshots(ref, undefined)).at(-1);
  await eventually(async () => (await newest())?.annotations.refresh !== undefined);
  expect((await newest())?.annotations.refresh).toBe("normal");
  await started.close();
});

test("an operation that runs is stopped by REST, and nowhere else", async () => {
  const git = new GitText();
  const file = "apps/checkout/overlays/dev/kustomization.yaml";
  git.commit({ [file]: kustomization("1.0.0") });
  const ref = { cluster: "main", namespace: "argocd", name: "checkout-dev" };
  const { signal } = new AbortController();
  const watching = await startConnected(git, REPOSITORY_URL, {
    kubernetes: true,
    location: { refreshByAnnotation: true },
  });
  await connected(watching);
  await expect(watching.connection.terminate(ref, signal)).rejects.toMatchObject({ code: "argocd-forbidden" });
  await watching.close();

  // An operation that does not end by itself while the test looks for it.
  const server = { durations: { operationMs: 600_000 } };
  const started = await startConnected(git, REPOSITORY_URL, { rest: true, server });
  await connected(started);
  await expect(started.connection.terminate(ref, signal)).rejects.toThrow("No operation is in progress");
  const newest = async () => (await started.connection.snapshots(ref, undefined)).at(-1);
  git.commit({ [file]: kustomization("1.1.0") });
  await started.connection.refresh(ref, signal);
  await eventually(async () => (await newest())?.operation?.phase === "Running");
  await started.connection.terminate(ref, signal);
  await eventually(async () => (await newest())?.operation?.phase === "Failed");
  expect((await newest())?.operation?.message).toBe("Operation terminated");
  await started.close();
});

test("what Pods name of a mirror is read as what Git says", async () => {
  const git = new GitText();
  const file = "apps/checkout/overlays/dev/kustomization.yaml";
  git.commit({ [file]: kustomization("1.0.0") });
  for (const [tag, by] of [
    ["1.1.0", { kubernetes: true, rest: true }],
    ["1.2.0", { rest: true }],
  ] as const) {
    const imageAliases = [
      { mirror: "registry.example.com", original: "elsewhere.example.com" },
      { mirror: "registry.example.com/shop", original: "docker.io/shop" },
    ];
    const started = await startConnected(git, REPOSITORY_URL, { ...by, location: { imageAliases } });
    await connected(started);
    const ref = { cluster: "main", namespace: "argocd", name: "checkout-dev" };
    const { connection } = started;
    const newest = async () => (await connection.snapshots(ref, undefined)).at(-1);
    git.commit({ [file]: kustomization(tag) });
    await connection.refresh(ref, new AbortController().signal);
    const image = `docker.io/shop/checkout:${tag}`;
    await eventually(async () => (await newest())?.summaryImages.join() === image);
    expect((await newest())?.operation?.images).toEqual([image]);
    await started.close();
  }
});

test("which Applications have turned Degraded lately is told by Argo CD's own clock", async () => {
  const git = new GitText();
  const file = "apps/checkout/overlays/dev/kustomization.yaml";
  git.commit({ [file]: kustomization("1.0.0") });
  const started = await startConnected(git, REPOSITORY_URL, { rest: true });
  await connected(started);
  const ref = { cluster: "main", namespace: "argocd", name: "checkout-dev" };
  git.commit({ [file]: kustomization("1.1.0-crash") });
  await started.connection.refresh(ref, new AbortController().signal);
  await eventually(async () => (await started.connection.sick("main", 600_000)).degraded.length === 1);
  expect(await started.connection.sick("main", 600_000)).toMatchObject({ degraded: [ref] });
  expect(await started.connection.sick("other", 600_000)).toEqual({ total: 0, degraded: [] });
  await started.close();
});
