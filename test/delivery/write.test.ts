import { describe, expect, it } from "vitest";
import { writeLane } from "../../src/delivery/write.ts";
import type { PushResult } from "../../src/model/git.ts";
import { BRANCH, type House, makeHouse, never, targetOf } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

/** The next push gets this answer after `before` has happened; later ones go their usual way. */
function once(house: House, before: () => void, answer?: PushResult): void {
  house.git.onPush = () => {
    house.git.onPush = undefined;
    before();
    return answer;
  };
}

describe("writing a lane", () => {
  it("writes what is ready, and remembers what the delivery needs to be followed", async () => {
    const house = makeHouse();
    house.argocd.says(applicationRef("checkout"), { state: "pushed" }, { health: "Degraded" });
    await house.ready({ tag: "1.1" });
    expect(await house.write()).toEqual({ kind: "idle" });
    const { items } = await house.store.deliveries({ limit: 1 });
    expect(items[0]).toMatchObject({
      phase: "following",
      commit: house.git.log(BRANCH)[0]?.oid,
      observation: {
        pushedAt: house.time.now(),
        newImages: ["registry.example.com/shop/checkout:1.1"],
        oldImages: ["registry.example.com/shop/checkout:1.0"],
        applications: [{ ref: applicationRef("checkout"), baseline: { health: "Degraded" } }],
      },
    });
    expect((await house.targetState())?.current?.delivery.id).toBe(items[0]?.id);
  });

  it("looks for the Applications of a whole batch at once", async () => {
    const apps = ["one", "two", "three"];
    const house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
    house.argocd.says(applicationRef("all"), { state: "pushed" });
    await house.received({ tag: "1.1", apps });
    await house.verifyDue();
    await house.write();
    expect((await house.store.deliveries({ limit: 9 })).items.map(({ phase }) => phase)).toEqual(
      apps.map(() => "following"),
    );
    expect(house.argocd.finds).toBe(1);
  });

  it("has nothing to do in a lane at rest", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    expect(await house.write()).toEqual({ kind: "idle" });
    expect(house.writers()).toHaveLength(2);
  });

  it("writes although Argo CD cannot be reached", async () => {
    const house = makeHouse();
    house.argocd.says(applicationRef("checkout"), { state: "pushed" });
    house.argocd.unreachable.add("main");
    const delivery = await house.written({ tag: "1.1" });
    expect(delivery).toMatchObject({ phase: "following", observation: { applications: [] } });
    expect(house.logged.map(({ message }) => message)).toContain("Argo CD could not be asked before a push");
  });

  it("plans again on the new tip after a lost race", async () => {
    const house = makeHouse();
    once(house, () => void house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs"));
    const delivery = await house.written({ tag: "1.1" });
    expect(house.writers()).toEqual([delivery.id, "", ""]);
    expect(house.git.show(BRANCH, "README.md")).toBe("theirs\n");
    expect(await house.eventsOf(delivery)).toEqual(["received", "ready", "writing", "ready", "writing", "landed"]);
  });

  it("plans on the tip that stands after a lost race was settled, not on the one that it was settled by", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    const { attemptDead } = house.store;
    house.store.attemptDead = async (...args) => {
      house.git.commit(BRANCH, { "README.md": "meanwhile\n" }, "meanwhile");
      return attemptDead.apply(house.store, args);
    };
    let pushes = 0;
    house.git.onPush = () => {
      if (++pushes === 1) house.git.commit(BRANCH, { "README.md": "faster\n" }, "faster");
      return undefined;
    };
    expect(await house.write()).toEqual({ kind: "idle" });
    expect(pushes).toBe(2);
    expect(house.writers()).toEqual([delivery.id, "", "", ""]);
  });

  it("examines what won the race before it plans again: a revert is not undone", async () => {
    const house = makeHouse();
    const first = await house.written({ tag: "1.1" });
    once(house, () => void house.foreign("1.0", `Back\n\nThis reverts commit ${first.commit}.`));
    const second = await house.written({ tag: "1.2" });
    expect(second.phase).toBe("received");
    expect(house.fileOf()).toContain('newTag: "1.0"');
    expect((await house.reread(first)).outcome).toBe("overridden");
  });

  it.each([
    ["auth", "403 Forbidden"],
    ["not-found", "404 Not Found"],
  ] as const)(
    "blocks the lane when the server refuses everybody (%s), and keeps what is ready",
    async (reason, words) => {
      const house = makeHouse();
      house.git.onPush = () => ({ kind: "refused", reason, message: words });
      const delivery = await house.ready({ tag: "1.1" });
      expect(await house.write()).toEqual({ kind: "blocked", why: words });
      expect((await house.reread(delivery)).phase).toBe("ready");
    },
  );

  it("keeps what is ready when the server is not available, for as long as the server says", async () => {
    const house = makeHouse();
    once(house, () => {}, { kind: "unavailable", message: "503", retryAfterMs: 7_000 });
    const delivery = await house.ready({ tag: "1.1" });
    expect(await house.write()).toEqual({ kind: "again", why: "503", retryAfterMs: 7_000 });
    expect((await house.reread(delivery)).phase).toBe("ready");
    await house.write();
    expect(house.writers()).toEqual([delivery.id, ""]);
  });

  it("finds the one of seven that a hook refuses, and rejects it in the server's words", async () => {
    const apps = ["a", "b", "c", "d", "e", "f", "g"];
    const house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
    const deliveries = await house.received({ tag: "1.1", apps });
    await house.verifyDue();
    const culprit = deliveries[4]!;
    house.git.onPush = async ({ base, head }) => {
      const { commits } = await house.git.range(base, head, never);
      const refuses = commits.some(({ message }) => message.includes(culprit.id));
      return refuses ? { kind: "refused", reason: "hook-declined", message: "remote: no e on Fridays" } : undefined;
    };
    expect(await house.write()).toEqual({ kind: "idle" });
    expect(await house.saysOf(culprit)).toBe("rejected(push-refused): remote: no e on Fridays");
    const others = deliveries.filter(({ id }) => id !== culprit.id);
    expect(new Set(house.writers())).toEqual(new Set(["", ...others.map(({ id }) => id)]));
    expect(house.writers()).toHaveLength(7);
  });

  it("stops when somebody else has taken the lane: at examining", async () => {
    const house = makeHouse();
    await house.ready({ tag: "1.1" });
    const stale = await house.claimLane("one");
    await house.wait(60_000);
    await house.claimLane("two");
    expect(await writeLane(house.deps, stale, never)).toEqual({ kind: "idle" });
    expect(house.writers()).toEqual([""]);
  });

  it("stops when somebody else has taken the lane: at beginning", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    await house.ready({ tag: "1.2" });
    const stale = await house.claimLane("one");
    await house.wait(60_000);
    await house.claimLane("two");
    expect(await writeLane(house.deps, stale, never)).toEqual({ kind: "idle" });
    expect(house.writers()).toHaveLength(2);
  });

  it("plans again without the one that fell out at the last moment", async () => {
    const targets = ["cart", "checkout"].map((app) => targetOf(app));
    const house = makeHouse({ targets });
    const [cart, checkout] = await house.received({ tag: "1.1", apps: ["cart", "checkout"] });
    await house.verifyDue();
    const { beginAttempt } = house.store;
    house.store.beginAttempt = async (input) => {
      house.store.beginAttempt = beginAttempt;
      await house.store.pin("cart/staging", { by: "ada", why: "demo" });
      return house.store.beginAttempt(input);
    };
    expect(await house.write()).toEqual({ kind: "idle" });
    expect((await house.reread(cart!)).phase).toBe("received");
    expect(house.writers()).toEqual([checkout!.id, ""]);
  });

  it("plans again when the configuration changed before the push", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    const { prepare } = house.git;
    house.git.prepare = async (...input) => {
      house.use({ hash: "second", allows: () => false });
      return prepare.apply(house.git, input);
    };
    await house.write();
    expect((await house.reread(delivery)).reason).toBe("forbidden");
    expect(house.writers()).toEqual([""]);
  });

  it("gives the lane back when the branch never stands still", async () => {
    const house = makeHouse();
    let moved = 0;
    house.git.onPush = () => void house.git.commit(BRANCH, { "README.md": `${++moved}\n` }, "docs");
    const delivery = await house.ready({ tag: "1.1" });
    const writing = house.write();
    await house.wait(30_000);
    expect((await writing).kind).toBe("again");
    expect(moved).toBe(12);
    house.git.onPush = undefined;
    await house.write();
    expect(house.writers()[0]).toBe(delivery.id);
  });

  it("asks the store for little between the tip and the push, whatever others push", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    await house.ready({ tag: "1.2" });
    let calls: string[] = [];
    for (const name of ["laneWork", "examined", "attemptDead", "beginAttempt", "imported", "attemptLanded"] as const) {
      const called = house.store[name].bind(house.store) as (...input: unknown[]) => Promise<never>;
      house.store[name] = (...input: unknown[]) => {
        calls.push(name);
        return called(...input);
      };
    }
    let pushes = 0;
    house.git.onPush = () => {
      calls.push("push");
      if (++pushes <= 2) house.git.commit(BRANCH, { "README.md": `${pushes}\n` }, "docs");
      return undefined;
    };
    await house.write();
    expect(calls.join(" ").split(" push ")).toEqual([
      "laneWork beginAttempt",
      "laneWork attemptDead laneWork beginAttempt",
      "laneWork attemptDead laneWork beginAttempt",
      "attemptLanded laneWork examined",
    ]);
    calls = [];
    await house.write();
    expect(calls).toEqual(["laneWork"]);
  });

  it("brings fewer to each push while it loses races, and more again when it wins", async () => {
    const apps = Array.from({ length: 100 }, (_, app) => `app-${app}`);
    const house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
    await house.received({ tag: "1.1", apps });
    await house.verifyDue();
    const sizes: number[] = [];
    house.git.onPush = (prepared) => {
      sizes.push(prepared.commits.length);
      if (sizes.length <= 2) house.git.commit(BRANCH, { "README.md": `${sizes.length}\n` }, "docs");
      return undefined;
    };
    await house.write();
    expect(sizes).toEqual([100, 50, 25, 50, 25]);
  });
});
