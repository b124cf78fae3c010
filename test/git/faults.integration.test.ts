import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import type { Delivery } from "../../src/model/delivery.ts";
import { type House, makeHouse, overlayOf, pathOf } from "../delivery/house.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { bodyOf, type FaultProxy, type Layout, type PushFault, startFaultProxy } from "./fault-proxy.ts";

const { signal } = new AbortController();
/** A git process takes longer than that only on a machine that is very busy; then a clear answer is unclear, too. */
const PATIENCE_MS = 1500;

/** The whole flow of writing, on a real git server behind a proxy that goes wrong: one house, one delivery per fault. */
describe("a push over a line that goes wrong", () => {
  let server: GitServer;
  let proxy: FaultProxy;
  let house: House;
  let git: RemoteRepository;
  let number = 0;

  beforeAll(async () => {
    server = await startGitServer();
    proxy = await startFaultProxy({ port: Number(new URL(server.origin).port) });
    house = makeHouse();
    const [target] = house.targets;
    await server.createRepository("gitops", { [pathOf(target!)]: overlayOf(target!, "1.0") });
    const url = `${proxy.origin}/gitops.git`;
    git = openRemoteRepository({ ambient: systemAmbient }, { url, timeouts: { firstByteMs: PATIENCE_MS } });
    house.useGit(git);
    // Known servers are not discovered again: from here on a write is one look and one push.
    await git.tip("main", signal);
  });
  afterAll(async () => {
    git.close();
    await proxy.close();
    await server.close();
  });

  const ready = (): Promise<Delivery> => house.ready({ tag: `2.${++number}` });
  const again = async (delivery: Delivery): Promise<Delivery> => {
    for (let visit = 0; visit < 5; visit++) {
      // Attempts are a second apart, so that a second one has another commit id than the first.
      await house.wait(1_000);
      const { kind } = await house.write();
      const now = await house.reread(delivery);
      if (kind === "idle" && now.phase === "following") return now;
    }
    return house.reread(delivery);
  };
  const open = async (): Promise<number> => {
    const claim = await house.claimLane();
    const { openAttempts } = await house.store.laneWork(claim);
    await house.store.releaseLane(claim, 0);
    return openAttempts.length;
  };

  /** Written, and exactly once in Git; every earlier delivery too. */
  const expectOnce = async (delivery: Delivery): Promise<void> => {
    const now = await house.reread(delivery);
    expect(now.phase).toBe("following");
    const log = await server.log("gitops");
    const writers = log.map(({ message }) => /^Gitspan-Delivery: (.+)$/m.exec(message)?.[1]).filter(Boolean);
    expect(writers.filter((id) => id === delivery.id)).toHaveLength(1);
    expect(new Set(writers).size).toBe(writers.length);
    expect(log.find(({ message }) => message.includes(delivery.id))?.oid).toBe(now.commit);
    expect(await server.show("gitops", "main", pathOf(house.targets[0]!))).toBe(
      overlayOf(house.targets[0]!, `2.${number}`),
    );
  };

  const places: Record<string, (layout: Layout) => number> = {
    "before the first byte of the request": () => 0,
    "inside its request line": () => 7,
    "inside its headers": ({ request }) => request.body - 10,
    "between headers and body": ({ request }) => request.body,
    "inside the command": ({ request }) => request.body + 30,
    "between command and pack": ({ request }) => request.pack,
    "inside the head of the pack": ({ request }) => request.pack + 6,
    "inside the pack": ({ request }) => Math.floor((request.pack + request.end) / 2),
    "before the last byte of the pack": ({ request }) => request.end - 1,
    "after the whole request": ({ request }) => request.end,
  };
  const answers: Record<string, (answer: Buffer) => number> = {
    "before the first byte of the answer": () => 0,
    "inside its status line": () => 10,
    "between its headers and its body": (answer) => bodyOf(answer) ?? 0,
    "inside the frame of the report": (answer) => (bodyOf(answer) ?? 0) + 3,
    "inside 'unpack ok'": (answer) => answer.indexOf("unpack ok") + 4,
    "before 'ok refs/heads/main'": (answer) => answer.indexOf("ok refs/heads/main") - 4,
    "inside 'ok refs/heads/main'": (answer) => answer.indexOf("ok refs/heads/main") + 8,
    "before the last byte of the answer": (answer) => answer.length - 1,
  };

  it.each(Object.entries(places))("is written once when the line is cut %s", async (_where, at) => {
    const delivery = await ready();
    proxy.next({ kind: "cut-request", at });
    await house.write();
    expect((await again(delivery)).phase).toBe("following");
    await expectOnce(delivery);
  });

  it.each(Object.entries(places).slice(4, -1))(
    "is written once when the server gets a body that ends %s",
    async (_where, at) => {
      const delivery = await ready();
      proxy.next({ kind: "shorten", at });
      await house.write();
      expect((await again(delivery)).phase).toBe("following");
      await expectOnce(delivery);
    },
  );

  it.each(Object.entries(answers))("is found landed when the line is cut %s", async (_where, at) => {
    const delivery = await ready();
    const before = proxy.pushes();
    proxy.next({ kind: "cut-answer", at });
    await house.write();
    const landed = await server.tip("gitops");
    expect((await again(delivery)).commit).toBe(landed);
    expect(proxy.pushes()).toBe(before + 1);
    await expectOnce(delivery);
  });

  it("is found landed when the answer stops in the middle and the line stays open", async () => {
    const delivery = await ready();
    const before = proxy.pushes();
    proxy.next({ kind: "stall-answer", at: (answer) => (bodyOf(answer) ?? 0) - 20 });
    expect(await house.write()).toMatchObject({ kind: "again" });
    await again(delivery);
    expect(proxy.pushes()).toBe(before + 1);
    await expectOnce(delivery);
  });

  it.each(["first", "second"] as const)(
    "is written once when it comes twice and the %s answer counts",
    async (answer) => {
      const delivery = await ready();
      const before = proxy.pushes();
      proxy.next({ kind: "duplicate", answer });
      await house.write();
      await again(delivery);
      expect(proxy.pushes()).toBe(before + 1);
      await expectOnce(delivery);
    },
  );

  const stalled = (at: (layout: Layout) => number) => {
    const release = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const fault: PushFault = { kind: "stall-request", at, release: release.promise, done: done.resolve };
    const land = async (): Promise<void> => {
      release.resolve();
      await done.promise;
    };
    return { fault, land };
  };

  it.each(Object.entries(places).slice(0, -1))("counts when it stalls %s and lands late", async (_where, at) => {
    const delivery = await ready();
    const { fault, land } = stalled(at);
    const base = await server.tip("gitops");
    proxy.next(fault);
    expect(await house.write()).toMatchObject({ kind: "again" });
    expect(await server.tip("gitops")).toBe(base);
    expect((await house.reread(delivery)).phase).toBe("writing");
    await land();
    const landed = await server.tip("gitops");
    expect(landed).not.toBe(base);
    expect((await again(delivery)).commit).toBe(landed);
    expect(await open()).toBe(0);
    await expectOnce(delivery);
  });

  it("loses against the second attempt when that one lands first", async () => {
    const delivery = await ready();
    const { fault, land } = stalled(({ request }) => request.end - 1);
    proxy.next(fault);
    await house.write();
    const written = await again(delivery);
    expect(written.phase).toBe("following");
    await land();
    expect(await server.tip("gitops")).toBe(written.commit);
    await house.write();
    expect(await open()).toBe(0);
    await expectOnce(delivery);
  });

  it("is dead when somebody else was faster than its late landing", async () => {
    const delivery = await ready();
    const { fault, land } = stalled(({ request }) => request.pack + 4);
    proxy.next(fault);
    await house.write();
    const foreign = await server.commit("gitops", { "README.md": "by hand\n" }, "by hand");
    await land();
    expect(await server.tip("gitops")).toBe(foreign);
    await again(delivery);
    expect(await open()).toBe(0);
    await expectOnce(delivery);
    expect((await server.log("gitops")).map(({ oid }) => oid)).toContain(foreign);
  });

  it("leaves a repository that git finds in order", async () => {
    await expect(server.fsck("gitops")).resolves.toBeUndefined();
  });
});
