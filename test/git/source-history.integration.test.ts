import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { compareBuilds } from "../../src/delivery/order.ts";
import { openRemoteRepository } from "../../src/git/repository.ts";
import { sourceHistory } from "../../src/git/source-history.ts";
import type { Build } from "../../src/model/build.ts";
import { type HistorySubject, sourceHistoryContract } from "../contracts/source-history.ts";
import { datedHistory } from "../fakes/dated-history.ts";
import { GIT_SERVER_MODES, type GitServer, type GitServerMode, startGitServer } from "../fakes/git-http-server.ts";

const { signal } = new AbortController();
const SOURCE = "https://git.example.com/shop/checkout.git";

function buildOf(commit: string, over: { time?: number; finishedAt?: number; repository?: string } = {}): Build {
  const { time, finishedAt = 0, repository = SOURCE } = over;
  return {
    id: `build-${commit.slice(0, 8)}-${finishedAt}`,
    subject: "token:ci",
    groups: [],
    createdAt: finishedAt,
    artifacts: [],
    source: { repository, commit, ...(time === undefined ? {} : { time }) },
    run: { kind: "PipelineRun", uid: commit, name: "run", finishedAt },
  };
}

sourceHistoryContract("the fake by dates", async () => ({
  history: datedHistory,
  line: [
    buildOf("1".repeat(40), { time: 1 }),
    buildOf("2".repeat(40), { time: 2 }),
    buildOf("3".repeat(40), { time: 3 }),
  ],
  stranger: buildOf("4".repeat(40)),
  close: async () => undefined,
}));

for (const mode of GIT_SERVER_MODES) sourceHistoryContract(`Git's own history (${mode})`, () => realSubject(mode));

async function realSubject(mode: GitServerMode): Promise<HistorySubject> {
  const server = await startGitServer({ mode });
  const one = await server.createRepository("source", { "main.ts": "1\n" });
  const two = await server.commit("source", { "main.ts": "2\n" }, "two");
  const three = await server.commit("source", { "main.ts": "3\n" }, "three");
  const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("source") });
  // A server that gives out only the tips of branches has to know which are meant.
  await git.tip("main", signal);
  return {
    history: sourceHistory({ clock: systemAmbient.clock, log: { warn: () => undefined }, repository: () => git }),
    line: [buildOf(one), buildOf(two), buildOf(three)],
    stranger: buildOf("f".repeat(40)),
    close: async () => {
      git.close();
      await server.close();
    },
  };
}

describe("the order of builds by their source history", () => {
  let server: GitServer;
  let warned: unknown[];
  let now: number;
  const start = (over: { repository?: Parameters<typeof sourceHistory>[0]["repository"] } = {}) => {
    const git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("source") });
    onTestFinished(() => git.close());
    const sleep = systemAmbient.clock.sleep;
    const log = { warn: (_message: string, fields?: unknown) => void warned.push(fields) };
    return sourceHistory({ clock: { now: () => now, sleep }, log, repository: () => git, ...over });
  };
  beforeEach(async () => {
    server = await startGitServer();
    warned = [];
    now = 1_000;
  });
  afterEach(() => server.close());

  it("is not that of arrival, of dates or of completion: an ancestor is older", async () => {
    const old = await server.createRepository("source", { "main.ts": "1\n" });
    const young = await server.commit("source", { "main.ts": "2\n" }, "two");
    const a = buildOf(old, { time: 999_999, finishedAt: 500 });
    const b = buildOf(young, { time: 1, finishedAt: 100 });
    expect(await compareBuilds(start(), a, b, signal)).toEqual({ order: "older" });
    expect(await compareBuilds(start(), b, a, signal)).toEqual({ order: "newer" });
  });

  it("is that of completion, with a warning, for commits of which neither has the other", async () => {
    const base = await server.createRepository("source", { "main.ts": "1\n" });
    const left = await server.commit("source", { "main.ts": "left\n" }, "left");
    await server.git("source", "branch", "side", base);
    const right = await server.commit("source", { "main.ts": "right\n" }, "right", "side");
    const history = start();
    const [a, b] = [buildOf(left, { finishedAt: 500 }), buildOf(right, { finishedAt: 100 })];
    expect(await history.relation(a, b, signal)).toBe("unrelated");
    expect(await compareBuilds(history, a, b, signal)).toMatchObject({
      order: "newer",
      warning: expect.stringContaining(left),
    });
    expect(warned).toEqual([]);
  });

  it("asks for nothing twice, and for no more than the commits between", async () => {
    const commits = [await server.createRepository("source", { "main.ts": "0\n" })];
    for (let i = 1; i < 12; i++) commits.push(await server.commit("source", { "main.ts": `${i}\n` }, `c${i}`));
    const history = start();
    const builds = commits.map((commit) => buildOf(commit));
    expect(await history.relation(builds[0]!, builds[11]!, signal)).toBe("ancestor");
    server.resetStats();
    for (const [index, build] of builds.entries()) {
      for (const other of builds.slice(index + 1))
        expect(await history.relation(other, build, signal)).toBe("descendant");
    }
    expect(server.stats().requests).toBe(0);
  });

  it("is unknown for builds of different repositories and of repositories that nobody lets us read", async () => {
    const commit = await server.createRepository("source", { "main.ts": "1\n" });
    const other = buildOf("2".repeat(40), { repository: "https://git.example.com/other.git" });
    expect(await start().relation(buildOf(commit), other, signal)).toBe("unknown");
    const closed = start({ repository: () => undefined });
    expect(await closed.relation(buildOf(commit), buildOf("2".repeat(40)), signal)).toBe("unknown");
    expect(warned).toEqual([]);
  });

  it("stops no lane: a repository that fails is unknown, left alone for a minute, and read again then", async () => {
    const one = await server.createRepository("source", { "main.ts": "1\n" });
    const two = await server.commit("source", { "main.ts": "2\n" }, "two");
    const history = start();
    server.failNext("discover", { kind: "answer", status: 503 });
    expect(await history.relation(buildOf(one), buildOf(two), signal)).toBe("unknown");
    expect(warned).toMatchObject([{ repository: SOURCE }]);
    server.resetStats();
    expect(await history.relation(buildOf(one), buildOf(two), signal)).toBe("unknown");
    expect(server.stats().requests).toBe(0);
    now += 60_001;
    expect(await history.relation(buildOf(one), buildOf(two), signal)).toBe("ancestor");
  });

  it("waits ten seconds for a repository that does not answer, and stops at once when it is told to", async () => {
    const hanging = {
      relation: (_a: string, _b: string, limit: AbortSignal) =>
        new Promise<never>((_, reject) => limit.addEventListener("abort", () => reject(limit.reason as Error))),
    };
    let timeIsUp = (): void => undefined;
    const sleep = (): Promise<void> => new Promise((resolve) => (timeIsUp = resolve));
    const log = { warn: (_message: string, fields?: unknown) => void warned.push(fields) };
    const history = sourceHistory({ clock: { now: () => now, sleep }, log, repository: () => hanging });
    const pair = [buildOf("1".repeat(40)), buildOf("2".repeat(40))] as const;
    const waiting = history.relation(...pair, signal);
    timeIsUp();
    expect(await waiting).toBe("unknown");
    expect(warned).toHaveLength(1);
    now += 60_001;
    const stop = new AbortController();
    const stopped = history.relation(...pair, stop.signal);
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
  });
});
