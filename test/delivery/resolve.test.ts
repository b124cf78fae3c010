import { beforeEach, describe, expect, it } from "vitest";
import { resolveAttempts } from "../../src/delivery/resolve.ts";
import type { PreparedPush } from "../../src/model/git.ts";
import { BRANCH, type House, makeHouse, never } from "./house.ts";

const HOUR = 3_600_000;

describe("resolving attempts", () => {
  let house: House;
  let sent: PreparedPush[];

  beforeEach(() => {
    house = makeHouse();
    sent = [];
    house.git.onPush = (prepared) => {
      sent.push(prepared);
      return { kind: "unclear", message: "timed out" };
    };
  });

  /** Looks at the branch as a visit to the lane does; what became of each attempt, in the order it was stored. */
  async function resolve(over: { epoch?: number } = {}) {
    const claim = await house.claimLane();
    const { openAttempts, now } = await house.store.laneWork(claim);
    const told: string[] = [];
    const tell = (what: string) => async (attempt: { id: string }) => void told.push(`${what} ${attempt.id}`);
    const store = { attemptLanded: tell("landed"), attemptDead: tell("dead") };
    const tip = await house.git.tip(BRANCH, never);
    const input = { attempts: openAttempts, tip, now, epoch: over.epoch ?? claim.epoch };
    const result = await resolveAttempts({ store, git: house.git }, input, never);
    await house.store.releaseLane(claim);
    const name = (line: string) =>
      openAttempts.reduce((text, { id }, index) => text.replace(id, `#${index + 1}`), line);
    return { ...result, told: told.map(name) };
  }

  async function unclearPush(tag: string): Promise<PreparedPush> {
    await house.ready({ tag });
    await house.write();
    return sent.at(-1)!;
  }

  it("leaves an attempt open while the branch stands at its base", async () => {
    await unclearPush("1.1");
    expect(await resolve()).toEqual({ resolved: 0, open: 1, told: [] });
  });

  it("finds an attempt landed when the branch is at its head", async () => {
    house.git.land(await unclearPush("1.1"));
    expect(await resolve()).toEqual({ resolved: 1, open: 0, told: ["landed #1"] });
  });

  it("finds an attempt landed below commits of others", async () => {
    house.git.land(await unclearPush("1.1"));
    for (let number = 0; number < 3; number++) house.git.commit(BRANCH, { "README.md": `${number}\n` }, "docs");
    expect((await resolve()).told).toEqual(["landed #1"]);
  });

  it("finds an attempt dead when others moved the branch", async () => {
    await unclearPush("1.1");
    house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs");
    expect(await resolve()).toEqual({ resolved: 1, open: 0, told: ["dead #1"] });
  });

  it("tells landed attempts before dead ones, so that no delivery of both becomes ready again", async () => {
    await unclearPush("1.1");
    house.git.land(await unclearPush("1.2"));
    expect((await resolve()).told).toEqual(["landed #2", "dead #1"]);
  });

  it("finds an attempt dead when its commit was forced off the branch", async () => {
    const base = await house.git.tip(BRANCH, never);
    house.git.land(await unclearPush("1.1"));
    house.git.reset(BRANCH, base);
    house.git.commit(BRANCH, { "README.md": "rewritten\n" }, "docs");
    expect((await resolve()).told).toEqual(["dead #1"]);
  });

  it("finds an attempt dead when the branch lost even its base", async () => {
    await unclearPush("1.1");
    house.git.commit("other", { "README.md": "new history\n" }, "start again");
    house.git.reset(BRANCH, await house.git.tip("other", never));
    expect((await resolve()).told).toEqual(["dead #1"]);
  });

  it("gives up after six hours on a branch at rest", async () => {
    await unclearPush("1.1");
    await house.wait(6 * HOUR);
    expect((await resolve()).open).toBe(1);
    await house.wait(1);
    expect((await resolve()).told).toEqual(["dead #1"]);
  });

  it("does not judge attempts of whoever took the lane meanwhile", async () => {
    await unclearPush("1.1");
    house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs");
    expect(await resolve({ epoch: 0 })).toEqual({ resolved: 0, open: 0, told: [] });
  });

  it("keeps a delivery whose attempt landed unseen, whatever a newer build did in between", async () => {
    const first = await unclearPush("1.1");
    house.git.land(first);
    house.git.onPush = undefined;
    await house.ready({ tag: "1.2" });
    await house.write();
    const { items } = await house.store.deliveries({ limit: 10 });
    expect(items.map(({ outcome, phase, commit }) => [outcome ?? phase, commit === undefined])).toEqual([
      ["following", false],
      ["superseded", false],
    ]);
    expect(items[1]?.commit).toBe(first.head);
  });
});
