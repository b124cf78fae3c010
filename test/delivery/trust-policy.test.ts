import { describe, expect, it } from "vitest";
import type { Target } from "../../src/model/target.ts";
import { aPolicy } from "../trust/policy.ts";
import { unreachable } from "./house.ts";
import { aHouse, digest, REPOSITORY } from "./trust-house.ts";

describe("a delivery that was proven and waits for its turn", () => {
  it("is not asked for again when something else has changed in the configuration", async () => {
    const house = aHouse();
    house.prove("run-1");
    const delivery = await house.ready(house.words);
    house.trust.failure = unreachable();
    house.use({ hash: "second" });
    await house.write();
    expect((await house.reread(delivery)).phase).toBe("following");
  });

  it("is asked for once by each of two replicas that are told different things, and then written by either", async () => {
    const house = aHouse();
    house.prove("run-1");
    const delivery = await house.ready(house.words);
    const [one] = house.targets;
    const another = { ...one!, policy: { ...one!.policy, trust: aPolicy({ maxAgeMs: 1_000 }) } };
    const told = (target: Target, hash: string) => ({ hash, target: () => target, targets: () => [target] });
    house.use(told(another, "second"));
    await house.write();
    expect((await house.reread(delivery)).phase).toBe("received");
    await house.verifyDue();
    expect((await house.reread(delivery)).trust?.policies).toHaveLength(2);
    house.use(told(one!, "first"));
    await house.write();
    expect((await house.reread(delivery)).phase).toBe("following");
  });

  it("is asked for again when the policy has changed since it was proven", async () => {
    const house = aHouse();
    house.prove("run-1");
    const delivery = await house.ready(house.words);
    const [target] = house.targets;
    const stricter = { ...target!, policy: { ...target!.policy, trust: aPolicy({ waitMs: 0 }) } };
    house.trust.remove(REPOSITORY, digest);
    house.use({ hash: "second", target: () => stricter, targets: () => [stricter] });
    await house.write();
    expect((await house.reread(delivery)).phase).toBe("received");
    await house.verifyDue();
    expect(await house.reread(delivery)).toMatchObject({ outcome: "rejected", reason: "no-digest" });
    expect(house.writers()).toEqual([""]);
  });
});
