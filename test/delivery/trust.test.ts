import { describe, expect, it } from "vitest";
import { accept } from "../../src/delivery/accept.ts";
import { verify } from "../../src/delivery/verify.ts";
import { never, unreachable } from "./house.ts";
import { aHouse, digest, other, REPOSITORY, source } from "./trust-house.ts";

describe("a delivery to an environment that wants proof", () => {
  it("is written once it is proven, and says by whom in its history, in the API and in its commit", async () => {
    const house = aHouse();
    house.prove("run-1");
    const delivery = await house.written(house.words);
    expect(delivery).toMatchObject({ phase: "following", trust: { images: [{ digest, signers: ["key test"] }] } });
    expect(await house.eventsOf(delivery)).toEqual(["received", "proven", "ready", "writing", "landed"]);
    const proven = (await house.store.events(delivery.id)).find(({ kind }) => kind === "proven");
    expect(proven).toMatchObject({ message: "proven by key test", data: { images: [{ repository: REPOSITORY }] } });
    const [commit] = house.git.log("main");
    expect(commit?.message).toMatch(/^Gitspan-Verified-By: key test$/m);
  });

  it("waits for a signature that comes after it", async () => {
    const house = aHouse();
    const delivery = await house.ready(house.words);
    expect(delivery).toMatchObject({ phase: "waiting", waitReason: "signature" });
    expect(delivery.message).toBe(
      `waits until ${new Date(delivery.createdAt + 60_000).toISOString()} for proof of ${REPOSITORY}@${digest}: ` +
        "there is no signature; no provenance counts",
    );
    const waiting = (await house.store.events(delivery.id)).find(({ kind }) => kind === "waiting");
    expect(waiting?.data).toEqual({ image: `${REPOSITORY}@${digest}`, evidence: expect.any(Array) });
    house.prove("run-1");
    await house.wait(10_000);
    await house.verifyDue();
    expect((await house.reread(delivery)).phase).toBe("ready");
  });

  it("is refused when the proof has not come in time, with what was found", async () => {
    const house = aHouse();
    const delivery = await house.ready(house.words);
    house.prove("another-run");
    await house.wait(60_000);
    await house.verifyDue();
    expect(await house.saysOf(delivery)).toBe(
      `rejected(untrusted): ${REPOSITORY}@${digest} is not proven: no provenance counts`,
    );
    const refusal = (await house.store.events(delivery.id)).find(({ kind }) => kind === "refused");
    expect(refusal?.data).toMatchObject({ evidence: [{ what: "provenance", counts: false }] });
  });

  it("says what it waits for once, not at every look", async () => {
    const house = aHouse();
    const delivery = await house.ready(house.words);
    for (let look = 0; look < 3; look++) {
      await house.wait(5_000);
      await house.verifyDue();
    }
    expect(await house.eventsOf(delivery)).toEqual(["received", "waiting"]);
  });

  it("does not wait where the policy gives no time", async () => {
    const house = aHouse({ waitMs: 0 });
    expect(await house.ready(house.words)).toMatchObject({ outcome: "rejected", reason: "untrusted" });
  });

  it.each([
    ["of another commit", "run-1", "d".repeat(40)],
    ["of another run", "run-2", "c".repeat(40)],
  ])("is refused with provenance %s", async (_what, run, commit) => {
    const house = aHouse({ waitMs: 0 });
    house.prove(run, commit);
    expect(await house.ready(house.words)).toMatchObject({ outcome: "rejected", reason: "untrusted" });
  });

  it("is refused without a digest: only that can be proven", async () => {
    const house = aHouse({}, { registries: [] });
    expect(await house.saysOf(await house.ready({ tag: "1.1" }))).toBe(
      `rejected(no-digest): ${REPOSITORY} came without a digest: only a digest can be proven`,
    );
  });

  it("is refused when nobody may ask its registry", async () => {
    const house = aHouse({}, { registries: [] });
    expect(await house.saysOf(await house.ready(house.words))).toContain("its registry is not configured");
  });

  it("is refused when its build names no run, and the provenance has to be of it", async () => {
    const house = aHouse({ waitMs: 0 });
    house.prove("run-1");
    const report = {
      artifacts: [{ name: "checkout", repository: REPOSITORY, tag: "1.1", digest }],
      source: { repository: source, commit: "c".repeat(40) },
    };
    const caller = { subject: "token:ci", groups: [] };
    const { deliveries } = await accept({ ...house.deps, store: house.store }, { report, caller }, never);
    await house.verifyDue();
    expect(await house.saysOf(deliveries[0]!)).toBe(
      "rejected(untrusted): staging wants provenance of the build's own run, and the build names no run",
    );
  });

  it("stays as it is while the registry does not answer, and goes on when it does", async () => {
    const house = aHouse();
    house.prove("run-1");
    house.trust.failure = unreachable();
    const [delivery] = await house.received(house.words);
    await expect(verify(house.deps, delivery!, never)).rejects.toThrow("cannot be reached");
    expect((await house.reread(delivery!)).phase).toBe("received");
    house.trust.failure = undefined;
    await verify(house.deps, delivery!, never);
    expect((await house.reread(delivery!)).phase).toBe("ready");
  });

  it("does not take the place of one that is proven before it is proven itself", async () => {
    const house = aHouse();
    house.prove("run-1");
    const [proven] = await house.received(house.words);
    house.trust.push(REPOSITORY, "1.2", other);
    const [unproven] = await house.received({ tag: "1.2", digest: other });
    await house.verifyDue();
    await house.write();
    expect((await house.reread(proven!)).phase).toBe("following");
    expect(await house.reread(unproven!)).toMatchObject({ phase: "waiting", waitReason: "signature" });
  });

  it("is looked at once while the target is pinned, and again when it may go", async () => {
    const house = aHouse();
    house.prove("run-1");
    await house.store.pin("checkout/staging", { by: "ada", why: "holidays" });
    const delivery = await house.ready(house.words);
    expect(delivery).toMatchObject({ waitReason: "pin", trust: { images: [{ digest }] } });
    expect(await house.eventsOf(delivery)).toEqual(["received", "proven", "waiting"]);
    house.trust.failure = unreachable();
    await house.wait(10_000);
    await house.verifyDue();
    expect((await house.reread(delivery)).waitReason).toBe("pin");
    house.trust.failure = undefined;
    house.trust.remove(REPOSITORY, digest);
    await house.store.unpin("checkout/staging");
    await house.verifyDue();
    expect(await house.reread(delivery)).toMatchObject({ reason: "no-digest" });
  });
});

describe("a rollback", () => {
  it("brings back what stood before, whatever is proven of it by now", async () => {
    const house = aHouse({ matchRun: false });
    house.prove("run-1");
    await house.healthy(house.words);
    house.trust.push(REPOSITORY, "1.2", other);
    house.prove("run-2", "d".repeat(40), other);
    await house.written({ tag: "1.2", digest: other, sourceCommit: "d".repeat(40) });
    house.trust.remove(REPOSITORY, digest);
    expect((await house.rolledBack()).phase).toBe("following");
    expect(house.fileOf()).toContain(digest);
  });
});

describe("an environment that wants no proof", () => {
  const plain = { wantsProof: false };

  it("takes what nobody has signed", async () => {
    const house = aHouse({}, plain);
    const delivery = await house.ready(house.words);
    expect(delivery.phase).toBe("ready");
    expect(delivery).not.toHaveProperty("trust");
  });

  it("refuses a digest that its registry does not have", async () => {
    const house = aHouse({}, plain);
    const delivery = await house.ready({ ...house.words, digest: other });
    expect(await house.saysOf(delivery)).toBe(`rejected(no-digest): the registry has no ${REPOSITORY}@${other}`);
  });

  it("asks nothing of a registry that is not configured", async () => {
    const house = aHouse({}, { ...plain, registries: [] });
    house.trust.failure = unreachable();
    expect((await house.ready({ ...house.words, digest: other })).phase).toBe("ready");
  });
});

describe("a build that comes with a tag alone", () => {
  const plain = { wantsProof: false };

  it("is taken for what the tag names, and both are written", async () => {
    const house = aHouse({}, plain);
    const delivery = await house.written({ tag: "1.1" });
    expect(delivery.images).toMatchObject([{ tag: "1.1", digest }]);
    const build = await house.store.build(delivery.buildId);
    expect(build?.artifacts).toMatchObject([{ tag: "1.1", digest, resolved: true }]);
    expect(house.fileOf()).toContain(digest);
  });

  it("is refused when the tag has moved before the write", async () => {
    const house = aHouse({}, plain);
    const [delivery] = await house.received({ tag: "1.1" });
    house.trust.push(REPOSITORY, "1.1", other);
    await house.verifyDue();
    expect(await house.saysOf(delivery!)).toBe(
      `rejected(tag-moved): ${REPOSITORY}:1.1 was ${digest} and is ${other} by now`,
    );
  });

  it("is kept as refused when there is no such tag", async () => {
    const house = aHouse({}, plain);
    const [delivery] = await house.received({ tag: "2.0" });
    expect(await house.saysOf(delivery!)).toBe(`rejected(no-digest): the registry has no ${REPOSITORY}:2.0`);
  });

  it("is not taken while its registry does not answer: whoever reports it tries again", async () => {
    const house = aHouse({}, plain);
    house.trust.failure = unreachable();
    await expect(house.received({ tag: "1.1" })).rejects.toMatchObject({ transient: true });
  });

  it("stays a tag where its registry is not configured", async () => {
    const house = aHouse({}, { ...plain, registries: [] });
    const [delivery] = await house.received({ tag: "1.1" });
    expect(delivery?.images).toEqual([{ name: "checkout", repository: REPOSITORY, tag: "1.1" }]);
  });
});

describe("a build that comes with tag and digest", () => {
  it("does not care that the tag names a newer one by now", async () => {
    const house = aHouse({}, { wantsProof: false });
    house.trust.push(REPOSITORY, "1.1", other);
    house.trust.push(REPOSITORY, "1.1-old", digest);
    expect((await house.ready(house.words)).phase).toBe("ready");
  });

  it("does where only the tag is written", async () => {
    const house = aHouse({}, { wantsProof: false });
    const tagOnly = { ...house.targets[0]!, digestPolicy: "tag" } as const;
    house.use({ target: () => tagOnly });
    house.trust.push(REPOSITORY, "1.1", other);
    house.trust.push(REPOSITORY, "1.1-old", digest);
    expect(await house.ready(house.words)).toMatchObject({ outcome: "rejected", reason: "tag-moved" });
  });
});
