import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { FLUSH, packet } from "../../src/git/pkt-line.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import type { PreparedPush, PushResult } from "../../src/model/git.ts";
import { planOf } from "../contracts/git-repository.ts";
import { runGit } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const { signal } = new AbortController();
const PATH = "apps/checkout/kustomization.yaml";

describe("pushing over the wire", () => {
  let server: GitServer;
  let git: RemoteRepository;
  let base: string;
  const open = (): RemoteRepository =>
    openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops"), timeouts: { firstByteMs: 20_000 } });
  const prepare = async (text = "newTag: 1.0.1\n", from = git): Promise<PreparedPush> =>
    from.prepare("main", await from.tip("main", signal), [planOf({ [PATH]: text })], signal);

  beforeEach(async () => {
    server = await startGitServer();
    base = await server.createRepository("gitops", { [PATH]: "newTag: 1.0.0\n" });
    git = open();
  });
  afterEach(async () => {
    git.close();
    await server.close();
  });

  it("sends a pack that git index-pack accepts with all its checks", async () => {
    const { pack } = await prepare();
    const out = await runGit(["index-pack", "--strict", "--fix-thin", "--stdin"], {
      cwd: server.dir("gitops"),
      input: pack,
    });
    expect(out.toString()).toMatch(/^(pack|keep)\t[0-9a-f]{40}\n$/);
  });

  it("passes the checks of a server that looks into every object", async () => {
    await server.git("gitops", "config", "receive.fsckObjects", "true");
    expect(await git.push(await prepare(), signal)).toEqual({ kind: "landed" });
    await server.fsck("gitops");
  });

  it("lets exactly one of two win who push at the same time", async () => {
    const other = open();
    const pushes = await Promise.all([prepare("ours\n"), prepare("theirs\n", other)]);
    const results = await Promise.all([git.push(pushes[0], signal), other.push(pushes[1], signal)]);
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(["landed", "lost-race"]);
    const winner = pushes[results.findIndex(({ kind }) => kind === "landed")];
    expect(await server.tip("gitops")).toBe(winner?.head);
    expect(await server.log("gitops")).toHaveLength(2);
    other.close();
  });

  it("loses no commit of many writers who try again after every lost race", async () => {
    const write = async (writer: number): Promise<void> => {
      const own = open();
      for (;;) {
        const tip = await own.tip("main", signal);
        const old = new TextDecoder().decode((await own.readFiles(tip, [PATH], signal)).get(PATH));
        const prepared = await own.prepare("main", tip, [planOf({ [PATH]: `${old}${writer}\n` })], signal);
        const result = await own.push(prepared, signal);
        if (result.kind === "landed") break;
        expect(["lost-race", "unavailable"]).toContain(result.kind);
      }
      own.close();
    };
    await Promise.all(Array.from({ length: 6 }, (_, writer) => write(writer)));
    expect(await server.log("gitops")).toHaveLength(7);
    const lines = (await server.show("gitops", "main", PATH)).trim().split("\n").slice(1);
    expect(lines.toSorted()).toEqual(["0", "1", "2", "3", "4", "5"]);
    await server.fsck("gitops");
  });

  it("does not know whether a push landed whose answer was cut off, and the range proves that it did", async () => {
    const prepared = await prepare();
    server.failNext("push", { kind: "cut-after" });
    expect(await git.push(prepared, signal)).toMatchObject({ kind: "unclear" });
    const { commits, connected } = await git.range(base, await git.tip("main", signal), signal);
    expect(connected).toBe(true);
    expect(commits.map(({ oid }) => oid)).toEqual([prepared.head]);
  });

  it("does not know either when git never heard of it, and the branch proves that it did not", async () => {
    const prepared = await prepare();
    server.failNext("push", { kind: "cut-before" });
    expect(await git.push(prepared, signal)).toMatchObject({ kind: "unclear" });
    expect(await git.tip("main", signal)).toBe(base);
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
  });

  it("reads from an answer that breaks off only what it says for certain", async () => {
    const kinds = new Set<PushResult["kind"]>();
    for (const bytes of [0, 5, 20, 30, 45]) {
      const prepared = await prepare(`newTag: ${bytes}\n`);
      server.failNext("push", { kind: "truncate", bytes });
      kinds.add((await git.push(prepared, signal)).kind);
      expect(await git.tip("main", signal)).toBe(prepared.head);
    }
    expect([...kinds]).toEqual(["unclear"]);
  });

  it("may land late, after the one who sent it has given up", async () => {
    const prepared = await prepare();
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    server.failNext("push", { kind: "hold", until: release.promise, onHeld: held.resolve, onDone: done.resolve });
    const giveUp = new AbortController();
    const push = git.push(prepared, giveUp.signal);
    await held.promise;
    giveUp.abort(new Error("shutting down"));
    await expect(push).rejects.toThrow("shutting down");
    expect(await git.tip("main", signal)).toBe(base);
    release.resolve();
    await done.promise;
    expect(await server.tip("gitops")).toBe(prepared.head);
    expect((await git.range(base, prepared.head, signal)).connected).toBe(true);
  });

  it("is unclear when no answer comes in time", async () => {
    const prepared = await prepare();
    const release = Promise.withResolvers<void>();
    let timeIsUp = (): void => undefined;
    // Only the wait for the first byte ends, and only when the server holds the push.
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        if (ms === 300) timeIsUp = resolve;
      });
    const ambient = { ...systemAmbient, clock: { now: () => 0, sleep } };
    const hurried = openRemoteRepository({ ambient }, { url: server.url("gitops"), timeouts: { firstByteMs: 300 } });
    server.failNext("push", { kind: "hold", until: release.promise, onHeld: () => timeIsUp() });
    const result = await hurried.push(prepared, signal);
    expect(result).toMatchObject({ kind: "unclear", message: expect.stringContaining("took longer than 300 ms") });
    release.resolve();
    hurried.close();
  });

  it("is unavailable when nobody listens: nothing was sent", async () => {
    const prepared = await prepare();
    await server.close();
    git.close();
    expect(await git.push(prepared, signal)).toMatchObject({ kind: "unavailable" });
    server = await startGitServer();
  });

  it("gives the words of a hook that declines", async () => {
    await server.hook("gitops", "pre-receive", "echo 'error: frozen until Monday' >&2; exit 1");
    expect(await git.push(await prepare(), signal)).toEqual({
      kind: "refused",
      reason: "hook-declined",
      message: "pre-receive hook declined: error: frozen until Monday",
    });
    await server.hook("gitops", "pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1");
    expect(await git.push(await prepare(), signal)).toMatchObject({ kind: "refused", reason: "protected" });
    expect(await server.tip("gitops")).toBe(base);
  });

  it("passes on what a hook says that lets the push through", async () => {
    await server.hook("gitops", "post-receive", "echo 'See you at https://git.example.com/pulls/new' >&2");
    const message = "See you at https://git.example.com/pulls/new";
    expect(await git.push(await prepare(), signal)).toEqual({ kind: "landed", message });
  });

  it("does not take it for landed when a hook has put the commits somewhere else", async () => {
    const prepared = await prepare();
    const lines = ["unpack ok\n", "ok refs/heads/main\n", "option refname refs/pull/7/head\n"];
    const report = Buffer.concat([...lines.map((line) => packet(line)), FLUSH]);
    const body = Buffer.concat([packet(Buffer.concat([Buffer.from([1]), report])), FLUSH]);
    server.failNext("push", { kind: "answer", status: 200, body });
    expect(await git.push(prepared, signal)).toMatchObject({
      kind: "refused",
      reason: "other",
      message: expect.stringContaining("refs/pull/7/head"),
    });
    // The same words, but the branch is where we wanted it: then nothing is wrong.
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
    server.failNext("push", { kind: "answer", status: 200, body });
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
  });

  it("is refused as too large by a server with a limit", async () => {
    await server.git("gitops", "config", "receive.maxInputSize", "100");
    expect(await git.push(await prepare(), signal)).toMatchObject({ kind: "refused", reason: "too-large" });
  });

  it("waits when git's lock of the branch is held", async () => {
    await writeFile(`${server.dir("gitops")}/refs/heads/main.lock`, "");
    expect(await git.push(await prepare(), signal)).toMatchObject({ kind: "unavailable" });
  });

  it.each([
    [401, {}, { kind: "refused", reason: "auth" }],
    [403, {}, { kind: "refused", reason: "auth" }],
    [404, {}, { kind: "refused", reason: "not-found" }],
    [413, {}, { kind: "refused", reason: "too-large" }],
    [400, {}, { kind: "refused", reason: "other" }],
    [302, { Location: "https://other.example.com/" }, { kind: "refused", reason: "other" }],
    [429, { "Retry-After": "7" }, { kind: "unavailable", retryAfterMs: 7000 }],
    [503, { "Retry-After": "5" }, { kind: "unavailable", retryAfterMs: 5000 }],
    [503, {}, { kind: "unclear" }],
    [500, {}, { kind: "unclear" }],
    [502, {}, { kind: "unclear" }],
    [504, {}, { kind: "unclear" }],
    [200, {}, { kind: "unclear" }],
  ])("takes HTTP status %i with %j for %j", async (status, headers, result) => {
    const prepared = await prepare();
    server.failNext("push", { kind: "answer", status, headers, body: "Everything up-to-date\n" });
    expect(await git.push(prepared, signal)).toMatchObject(result);
  });
});
