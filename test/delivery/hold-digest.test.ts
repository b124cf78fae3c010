import { describe, expect, it } from "vitest";
import type { Digest } from "../../src/model/image.ts";
import { makeHouse, targetOf } from "./house.ts";

const TARGET = "checkout/staging";
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

/** B reverted by hand, where reverts hold and do not pin. */
async function reverted() {
  const { policy } = targetOf("checkout");
  const house = makeHouse({
    targets: [targetOf("checkout", { policy: { ...policy, onManualRevert: "hold-digest" } })],
  });
  await house.healthy({ tag: "1.1", digest: digest("a") });
  const before = house.fileOf()!;
  const b = await house.healthy({ tag: "1.2", digest: digest("b") });
  house.git.commit("main", { "apps/checkout/overlays/staging/kustomization.yaml": before }, "back");
  await house.write();
  return { house, b, source: (await house.store.build(b.buildId))!.source };
}

describe("a person's revert where the environment says `onManualRevert: hold-digest`", () => {
  it("holds what was reverted, and does not pin", async () => {
    const { house, b } = await reverted();
    expect(await house.targetState()).not.toHaveProperty("pinned");
    expect(await house.targetState()).toMatchObject({ overridden: { kind: "reverted" } });
    expect(await house.store.holds([TARGET])).toMatchObject([
      { digest: digest("b"), build: { id: b.buildId }, by: "git", why: expect.stringContaining("reverted it in") },
    ]);
  });

  it("lets a newer build through", async () => {
    const { house } = await reverted();
    const newer = await house.written({ tag: "1.3", digest: digest("c") });
    expect(newer.phase).toBe("following");
  });

  it.each([
    ["the digest, whatever it is built from", { tag: "1.3", digest: digest("b") }, false],
    ["the same source commit built again", { tag: "1.2-2", digest: digest("c") }, true],
  ])("keeps back %s", async (_name, words, same) => {
    const { house, source } = await reverted();
    const text = house.fileOf();
    const one = await house.ready({ ...words, ...(same && { sourceCommit: source.commit }) });
    await house.write();
    expect(await house.saysOf(one)).toMatch(/^waiting: held by git: /);
    expect(house.fileOf()).toBe(text);
  });

  it("goes on with the digest once the hold is removed", async () => {
    const { house } = await reverted();
    const one = await house.ready({ tag: "1.3", digest: digest("b") });
    for (const { id } of await house.store.holds([TARGET])) await house.store.removeHold(id);
    await house.verifyDue();
    await house.write();
    expect((await house.reread(one)).phase).toBe("following");
  });

  it("is not gone back to by a later rollback", async () => {
    const { house } = await reverted();
    await house.written({ tag: "1.3", digest: digest("c") });
    await house.rolledBack();
    expect(house.fileOf()).toContain(digest("a"));
  });
});
