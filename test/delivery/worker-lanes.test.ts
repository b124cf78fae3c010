import { describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import type { PushResult } from "../../src/model/git.ts";
import { makeHouse, targetOf, unreachable } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";
import { slowPush, workerSite } from "./worker-site.ts";

const DAY = 86_400_000;
const site = workerSite();
const whyLanesWait = () => site.logged("a lane has to wait").map(({ fields }) => String(fields["error"]));

describe("the worker and its lanes", () => {
  it("keeps its lease through a long push", async () => {
    const push = slowPush(site.house);
    site.start({ leaseMs: 9_000 });
    await site.house.received({ tag: "1.1" });
    await site.house.wait(60_000);
    expect(await site.house.store.claimLane({ owner: "other", ms: 1 })).toBeUndefined();
    push.answer();
    await site.house.wait(1_000);
    expect(site.house.writers()).toHaveLength(2);
  });

  it("breaks off when the lane has another owner", async () => {
    slowPush(site.house);
    site.start({ leaseMs: 9_000 });
    await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    site.house.store.renewLane = async () => false;
    await site.house.wait(3_000);
    expect(whyLanesWait()).toEqual(["Error: the lane has another owner, or may have one"]);
  });

  it("goes on renewing its lease after a failure", async () => {
    slowPush(site.house);
    site.start({ leaseMs: 9_000 });
    await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    const { renewLane } = site.house.store;
    site.house.store.renewLane = async () => {
      site.house.store.renewLane = renewLane;
      throw new GitspanError("store-unavailable", "away", { transient: true });
    };
    await site.house.wait(30_000);
    expect(await site.house.store.claimLane({ owner: "other", ms: 1 })).toBeUndefined();
    expect(site.logged("a lane's lease could not be renewed")).toHaveLength(1);
  });

  it("breaks off when it could not renew its lease in time", async () => {
    slowPush(site.house);
    site.start({ leaseMs: 9_000 });
    await site.house.received({ tag: "1.1" });
    await site.house.wait(2_000);
    site.house.store.renewLane = () =>
      Promise.reject(new GitspanError("store-unavailable", "away", { transient: true }));
    await site.house.wait(9_000);
    expect(whyLanesWait()).toEqual(["Error: the lane has another owner, or may have one"]);
  });

  it("finds a revert on a branch at rest", async () => {
    site.start({ watchMs: 60_000 });
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(10_000);
    site.house.foreign("1.0");
    await site.house.wait(80_000);
    expect((await site.house.reread(delivery!)).outcome).toBe("healthy");
    expect(await site.house.targetState()).toMatchObject({ overridden: { kind: "reverted" }, pinned: { by: "git" } });
  });

  it("tells deliveries of a lane that is blocked what they wait for", async () => {
    site.house.git.onPush = () => ({ kind: "refused", reason: "auth", message: "403 Forbidden" });
    const troubles = new Map<string, string | undefined>();
    site.start({ onLane: (lane, trouble) => troubles.set(lane, trouble) });
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(100_000);
    expect(await site.house.saysOf(delivery!)).toBe("ready: gitops@main cannot be written: 403 Forbidden");
    expect(troubles).toEqual(new Map([["gitops@main", "403 Forbidden"]]));
    expect(site.logged("a lane cannot be written").length).toBeGreaterThan(2);
    site.house.git.onPush = undefined;
    await site.house.wait(60_000);
    expect((await site.house.reread(delivery!)).outcome).toBe("healthy");
    expect(troubles).toEqual(new Map([["gitops@main", undefined]]));
  });

  it("tells them when the repository stays out of reach", async () => {
    site.house.git.tip = () => Promise.reject(unreachable());
    site.start();
    const [delivery] = await site.house.received({ tag: "1.1" });
    await site.house.wait(60_000);
    expect(await site.house.saysOf(delivery!)).toBe(
      "ready: gitops@main cannot be written: git.example.com cannot be reached",
    );
    expect(await site.house.eventsOf(delivery!)).toEqual(["received", "ready"]);
  });

  it.each([
    ["expired", () => site.house.wait(8 * DAY)],
    ["target-removed", async () => site.house.use({ target: () => undefined })],
  ])("ends what is over (%s) although the repository is gone", async (reason, happens) => {
    site.house.useGit(undefined);
    const delivery = await site.house.ready({ tag: "1.1" });
    await happens();
    site.start();
    await site.house.wait(100_000);
    expect((await site.house.reread(delivery)).reason).toBe(reason);
  });

  it("goes on at once when much is left, as long as something lands", async () => {
    const apps = Array.from({ length: 12 }, (_, app) => `app-${app}`);
    site.house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
    for (const app of apps) site.house.argocd.says(applicationRef(app), { state: "healthy" });
    const pushes: number[] = [];
    site.house.git.onPush = (prepared) => {
      pushes.push(site.house.time.now());
      return prepared.commits.length > 1 ? { kind: "refused", reason: "too-large", message: "too large" } : undefined;
    };
    site.start();
    await site.house.received({ tag: "1.1", apps });
    await site.house.wait(20_000);
    expect(site.house.writers().filter((id) => id !== "")).toHaveLength(12);
    expect(pushes.length).toBeGreaterThan(36);
    expect(pushes.at(-1)! - pushes[0]!).toBeLessThan(100);
  });

  it("asks a server that refuses everybody twice a minute, not without rest", async () => {
    const pushes = answerAll({ kind: "refused", reason: "auth", message: "403 Forbidden" });
    site.start();
    await site.house.received({ tag: "1.1" });
    await site.house.wait(119_000);
    expect(pushes).toHaveLength(4);
  });

  it("rests as long as the server asks for, but never longer than ten minutes", async () => {
    const pushes = answerAll({ kind: "unavailable", message: "429", retryAfterMs: 45_000 });
    site.start();
    await site.house.received({ tag: "1.1" });
    await site.house.wait(100_000);
    answerAll({ kind: "unavailable", message: "429", retryAfterMs: 86_400_000 }, pushes);
    await site.house.wait(1_400_000);
    expect(pushes.slice(1).map((at, index) => Math.round((at - pushes[index]!) / 1_000))).toEqual([
      45, 45, 45, 600, 600,
    ]);
  });
});

/** Every push gets this answer; the times at which they came. */
function answerAll(result: PushResult, pushes: number[] = []): number[] {
  site.house.git.onPush = () => {
    pushes.push(site.house.time.now());
    return result;
  };
  return pushes;
}
