import { beforeEach, describe, expect, it } from "vitest";
import type { PreparedPush } from "../../src/model/git.ts";
import { BRANCH, type House, makeHouse } from "./house.ts";

describe("a push without a clear answer", () => {
  let house: House;
  let sent: PreparedPush[];

  beforeEach(() => {
    house = makeHouse();
    sent = [];
    house.git.onPush = (prepared) => {
      sent.push(prepared);
      return sent.length === 1 ? { kind: "unclear", message: "timed out" } : undefined;
    };
  });

  it("leaves its attempt open", async () => {
    const delivery = await house.ready({ tag: "1.1" });
    expect(await house.write()).toEqual({ kind: "again", why: "timed out" });
    expect((await house.reread(delivery)).phase).toBe("writing");
    expect((await house.store.laneWork(await house.claimLane())).openAttempts).toHaveLength(1);
  });

  it("is found landed by the next visit", async () => {
    const delivery = await house.written({ tag: "1.1" });
    house.git.land(sent[0]!);
    house.git.commit(BRANCH, { "README.md": "on top\n" }, "docs");
    expect(await house.write()).toEqual({ kind: "idle" });
    expect(await house.reread(delivery)).toMatchObject({ phase: "following", commit: sent[0]?.head });
    expect(sent).toHaveLength(1);
  });

  it("is found dead by the next visit, and written again", async () => {
    const delivery = await house.written({ tag: "1.1" });
    house.git.commit(BRANCH, { "README.md": "theirs\n" }, "docs");
    await house.write();
    expect(house.writers()).toEqual([delivery.id, "", ""]);
    expect(house.git.land(sent[0]!)).toBe(false);
  });

  it("is excluded by a second attempt on the same base", async () => {
    const delivery = await house.written({ tag: "1.1" });
    await house.wait(1_000);
    await house.write();
    expect(sent.map(({ base }) => base)).toEqual([sent[0]?.base, sent[0]?.base]);
    expect(house.git.land(sent[0]!)).toBe(false);
    expect(await house.reread(delivery)).toMatchObject({ phase: "following", commit: sent[1]?.head });
    await house.write();
    expect((await house.store.laneWork(await house.claimLane())).openAttempts).toEqual([]);
    expect(house.writers()).toEqual([delivery.id, ""]);
  });

  it("wins against a second attempt when it lands between", async () => {
    const delivery = await house.written({ tag: "1.1" });
    await house.wait(1_000);
    house.git.onPush = (prepared) => {
      sent.push(prepared);
      house.git.land(sent[0]!);
      return undefined;
    };
    await house.write();
    expect(await house.reread(delivery)).toMatchObject({ phase: "following", commit: sent[0]?.head });
    expect(house.writers()).toEqual([delivery.id, ""]);
  });

  it("is not cancelled, superseded or held back while it may still land", async () => {
    const older = await house.written({ tag: "1.1" });
    await house.store.createHold({ id: "hold-1", targetId: "checkout/staging", by: "ada", why: "stop" });
    const newer = await house.ready({ tag: "1.2" });
    expect(newer.phase).toBe("waiting");
    await house.wait(86_400_000 / 24);
    expect(await house.write()).toEqual({ kind: "again", why: "an earlier push may still land" });
    expect((await house.reread(older)).phase).toBe("writing");
    house.git.land(sent[0]!);
    await house.write();
    expect((await house.reread(older)).phase).toBe("following");
  });

  it("is not rejected by a refusal of its second attempt, and the lane gets its rest", async () => {
    const delivery = await house.written({ tag: "1.1" });
    house.git.onPush = (prepared) => {
      sent.push(prepared);
      return { kind: "refused", reason: "hook-declined", message: "remote: not on Fridays" };
    };
    expect(await house.write()).toEqual({ kind: "again", why: "remote: not on Fridays" });
    expect(sent).toHaveLength(2);
    expect((await house.reread(delivery)).phase).toBe("writing");
  });
});
