import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runWorker, type WorkerOptions } from "../../src/delivery/worker.ts";
import { GitspanError } from "../../src/model/errors.ts";
import type { PushResult } from "../../src/model/git.ts";
import { BRANCH, type House, makeHouse, unreachable } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

let house: House;
let stop: AbortController;
let abort: AbortController;
let working: Promise<void>;
let hasEnded: boolean;

function start(options: Partial<WorkerOptions> = {}): void {
  hasEnded = false;
  const signals = { stop: stop.signal, abort: abort.signal };
  working = (async () => {
    await runWorker(house.deps, { owner: "worker", lanes: 1, ...options }, signals);
    hasEnded = true;
  })();
}

beforeEach(() => {
  house = makeHouse();
  house.argocd.says(applicationRef("checkout"), { state: "healthy" });
  stop = new AbortController();
  abort = new AbortController();
  working = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  abort.abort();
  await house.wait(120_000);
  await working;
});

const logged = (message: string) => house.logged.filter((line) => line.message === message);

const whyLanesWait = () => logged("a lane has to wait").map(({ fields }) => String(fields["error"]));

/** A first push that answers when the test says so, or breaks off when it is told to. */
function slowPush(): { begun: () => boolean; answer: (result?: PushResult) => void } {
  const answer = Promise.withResolvers<PushResult | undefined>();
  const { push } = house.git;
  let begun = false;
  house.git.push = async (prepared, signal) => {
    begun = true;
    house.git.push = push;
    signal.addEventListener("abort", () => answer.reject(signal.reason as Error));
    return (await answer.promise) ?? push.call(house.git, prepared, signal);
  };
  return { begun: () => begun, answer: (result) => answer.resolve(result) };
}

describe("the worker", () => {
  it("takes a build from its arrival to its outcome", async () => {
    start();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(10_000);
    expect(await house.saysOf(delivery!)).toBe("healthy: checkout is healthy");
    expect(await house.eventsOf(delivery!)).toEqual(["received", "ready", "writing", "landed", "verdict", "done"]);
  });

  it("finishes on stop what is under way, and takes nothing new", async () => {
    const push = slowPush();
    start();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(2_000);
    expect(push.begun()).toBe(true);
    stop.abort();
    const [late] = await house.received({ tag: "1.2" });
    await house.wait(1_000);
    expect(hasEnded).toBe(false);
    push.answer();
    await house.wait(1_000);
    expect(hasEnded).toBe(true);
    expect((await house.reread(delivery!)).phase).toBe("following");
    expect((await house.reread(late!)).phase).toBe("received");
  });

  it("begins no second push after stop, though the first lost its race", async () => {
    const push = slowPush();
    start();
    await house.received({ tag: "1.1" });
    await house.wait(2_000);
    stop.abort();
    house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs");
    push.answer();
    await house.wait(1_000);
    expect(hasEnded).toBe(true);
    expect(house.writers()).toEqual(["", ""]);
  });

  it("breaks off on abort, and leaves an open attempt to whoever comes next", async () => {
    const push = slowPush();
    start();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(2_000);
    expect(push.begun()).toBe(true);
    stop.abort();
    abort.abort();
    await house.wait(1_000);
    expect(hasEnded).toBe(true);
    expect((await house.reread(delivery!)).phase).toBe("writing");
    [stop, abort] = [new AbortController(), new AbortController()];
    start({ owner: "next" });
    await house.wait(30_000);
    expect(house.writers()).toEqual([delivery!.id, ""]);
  });

  it("goes on when a stage throws, and says so", async () => {
    const { claim } = house.store;
    let failures = 3;
    house.store.claim = async (...input) => {
      if (failures-- > 0) throw new GitspanError("store-unavailable", "the database is away", { transient: true });
      return claim.apply(house.store, input);
    };
    start();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(20_000);
    expect((await house.reread(delivery!)).outcome).toBe("healthy");
    expect(logged("a stage failed")).toHaveLength(3);
  });

  it("says when a stage fails while it stops", async () => {
    const { releaseLane } = house.store;
    const push = slowPush();
    house.store.releaseLane = async () => {
      house.store.releaseLane = releaseLane;
      throw new GitspanError("store-unavailable", "the database is away");
    };
    start();
    await house.received({ tag: "1.1" });
    await house.wait(2_000);
    stop.abort();
    push.answer();
    await house.wait(2_000);
    expect(logged("a stage failed")).toHaveLength(1);
  });

  it("waits longer after each failure, and at once less after a success", async () => {
    const asked: number[] = [];
    house.argocd.unreachable.add("main");
    house.argocd.find = async () => {
      asked.push(house.time.now());
      throw new GitspanError("argocd-unreachable", "away", { transient: true });
    };
    const delivery = await house.written({ tag: "1.1" });
    asked.length = 0;
    start({ pollMs: 50 });
    await house.wait(60_000);
    const rests = asked.slice(1).map((at, index) => at - asked[index]!);
    expect(rests.slice(0, 2).every((rest) => rest <= 50)).toBe(true);
    expect(rests.slice(2, 7)).toEqual(rests.slice(2, 7).toSorted((a, b) => a - b));
    expect(rests.at(-1)).toBeGreaterThan(5_000);
    expect(await house.saysOf(delivery)).toBe("following: tried again soon: away");
    house.argocd.find = async ({ paths }) => new Map(paths.map((path) => [path, [applicationRef("checkout")]]));
    house.argocd.unreachable.clear();
    await house.wait(60_000);
    expect((await house.reread(delivery)).outcome).toBe("healthy");
  });
});

describe("the worker and its lanes", () => {
  it("keeps its lease through a long push", async () => {
    const push = slowPush();
    start({ leaseMs: 9_000 });
    await house.received({ tag: "1.1" });
    await house.wait(60_000);
    expect(await house.store.claimLane({ owner: "other", ms: 1 })).toBeUndefined();
    push.answer();
    await house.wait(1_000);
    expect(house.writers()).toHaveLength(2);
  });

  it("breaks off when the lane has another owner", async () => {
    slowPush();
    start({ leaseMs: 9_000 });
    await house.received({ tag: "1.1" });
    await house.wait(2_000);
    house.store.renewLane = async () => false;
    await house.wait(3_000);
    expect(whyLanesWait()).toEqual(["Error: the lane has another owner, or may have one"]);
  });

  it("goes on renewing its lease after a failure", async () => {
    slowPush();
    start({ leaseMs: 9_000 });
    await house.received({ tag: "1.1" });
    await house.wait(2_000);
    const { renewLane } = house.store;
    house.store.renewLane = async () => {
      house.store.renewLane = renewLane;
      throw new GitspanError("store-unavailable", "away", { transient: true });
    };
    await house.wait(30_000);
    expect(await house.store.claimLane({ owner: "other", ms: 1 })).toBeUndefined();
    expect(logged("a lane's lease could not be renewed")).toHaveLength(1);
  });

  it("breaks off when it could not renew its lease in time", async () => {
    slowPush();
    start({ leaseMs: 9_000 });
    await house.received({ tag: "1.1" });
    await house.wait(2_000);
    house.store.renewLane = () => Promise.reject(new GitspanError("store-unavailable", "away", { transient: true }));
    await house.wait(9_000);
    expect(whyLanesWait()).toEqual(["Error: the lane has another owner, or may have one"]);
  });

  it("finds a revert on a branch at rest", async () => {
    start({ watchMs: 60_000 });
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(10_000);
    house.foreign("1.0");
    await house.wait(80_000);
    expect((await house.reread(delivery!)).outcome).toBe("healthy");
    expect(await house.targetState()).toMatchObject({ overridden: { kind: "reverted" }, pinned: { by: "git" } });
  });

  it("tells deliveries of a lane that is blocked what they wait for", async () => {
    house.git.onPush = () => ({ kind: "refused", reason: "auth", message: "403 Forbidden" });
    const troubles = new Map<string, string | undefined>();
    start({ onLane: (lane, trouble) => troubles.set(lane, trouble) });
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(100_000);
    expect(await house.saysOf(delivery!)).toBe("ready: gitops@main cannot be written: 403 Forbidden");
    expect(troubles).toEqual(new Map([["gitops@main", "403 Forbidden"]]));
    expect(logged("a lane cannot be written").length).toBeGreaterThan(2);
    house.git.onPush = undefined;
    await house.wait(60_000);
    expect((await house.reread(delivery!)).outcome).toBe("healthy");
    expect(troubles).toEqual(new Map([["gitops@main", undefined]]));
  });

  it("tells them when the repository stays out of reach", async () => {
    house.git.tip = () => Promise.reject(unreachable());
    start();
    const [delivery] = await house.received({ tag: "1.1" });
    await house.wait(60_000);
    expect(await house.saysOf(delivery!)).toBe(
      "ready: gitops@main cannot be written: git.example.com cannot be reached",
    );
    expect(await house.eventsOf(delivery!)).toEqual(["received", "ready"]);
  });

  it("asks a server that refuses everybody twice a minute, not without rest", async () => {
    const pushes = answerAll({ kind: "refused", reason: "auth", message: "403 Forbidden" });
    start();
    await house.received({ tag: "1.1" });
    await house.wait(119_000);
    expect(pushes).toHaveLength(4);
  });

  it("rests as long as the server asks for, but never longer than ten minutes", async () => {
    const pushes = answerAll({ kind: "unavailable", message: "429", retryAfterMs: 45_000 });
    start();
    await house.received({ tag: "1.1" });
    await house.wait(100_000);
    answerAll({ kind: "unavailable", message: "429", retryAfterMs: 86_400_000 }, pushes);
    await house.wait(1_400_000);
    expect(pushes.slice(1).map((at, index) => Math.round((at - pushes[index]!) / 1_000))).toEqual([
      45, 45, 45, 600, 600,
    ]);
  });
});

/** Every push gets this answer; the times at which they came. */
function answerAll(result: PushResult, pushes: number[] = []): number[] {
  house.git.onPush = () => {
    pushes.push(house.time.now());
    return result;
  };
  return pushes;
}
