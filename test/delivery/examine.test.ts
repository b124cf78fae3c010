import { describe, expect, it } from "vitest";
import { BRANCH, type House, makeHouse, never, overlayOf, pathOf, repositoryOf, targetOf } from "./house.ts";

/** Lets the lane look at its branch; what stands at the target and of the delivery afterwards. */
async function look(house: House, delivery: { id: string }) {
  await house.write();
  const state = await house.targetState();
  return { says: await house.saysOf(delivery), kind: state?.overridden?.kind, pinned: state?.pinned !== undefined };
}

describe("what others do to our values", () => {
  it("takes a commit that names ours as reverted for a revert, and pins the target", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    const oid = house.foreign("0.9", `Revert "deploy"\n\nThis reverts commit ${delivery.commit}.`);
    expect(await look(house, delivery)).toEqual({
      says: `overridden(reverted): Somebody Else <else@example.com> reverted it in ${oid.slice(0, 12)}`,
      kind: "reverted",
      pinned: true,
    });
    expect((await house.reread(delivery)).revertedBy).toBe(oid);
  });

  it("reads every commit that a revert names", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("0.9", `Back\n\nThis reverts commit ${"a".repeat(40)}.\nThis reverts commit ${delivery.commit}.`);
    expect((await look(house, delivery)).kind).toBe("reverted");
  });

  it("takes the value of before for a revert, whatever the message says", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("1.0");
    expect(await look(house, delivery)).toMatchObject({ kind: "reverted", pinned: true });
  });

  it("takes a value that the target held long before for a revert", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    await house.written({ tag: "1.2" });
    const delivery = await house.written({ tag: "1.3" });
    house.foreign("1.1");
    expect((await look(house, delivery)).kind).toBe("reverted");
  });

  it("takes the old value of one image for a revert, also when another image was the same all along", async () => {
    const target = targetOf("checkout", {
      images: ["checkout", "worker"].map((name) => ({ name, repository: repositoryOf(name) })),
    });
    const house = makeHouse({ targets: [target] });
    const mixed = overlayOf(target, "1.1").replace('newTag: "1.1"', 'newTag: "1.0"');
    house.git.commit(BRANCH, { [pathOf(target)]: mixed }, "the worker is at 1.1 already");
    const delivery = await house.written({ tag: "1.1", apps: ["checkout", "worker"] });
    house.git.commit(BRANCH, { [pathOf(target)]: mixed }, "back by hand");
    expect((await look(house, delivery)).kind).toBe("reverted");
  });

  it("takes any other value for a change, without a pin", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    const oid = house.foreign("9.9-hotfix");
    expect(await look(house, delivery)).toEqual({
      says: `overridden(changed): Somebody Else <else@example.com> wrote another value in ${oid.slice(0, 12)}`,
      kind: "changed",
      pinned: false,
    });
  });

  it("takes a deleted file for a change", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.git.commit(BRANCH, { [pathOf(house.targets[0]!)]: null }, "remove the overlay");
    expect((await look(house, delivery)).kind).toBe("changed");
  });

  it("takes a file that nobody can read for a change", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.git.commit(BRANCH, { [pathOf(house.targets[0]!)]: "images: [\n" }, "oops");
    expect((await look(house, delivery)).kind).toBe("changed");
  });

  it.each([
    ["elsewhere", { "docs/README.md": "news\n" }],
    ["in the same folder", { "apps/checkout/overlays/staging/patch.yaml": "{}\n" }],
    ["in the same file", { [pathOf(targetOf("checkout"))]: `# news\n${overlayOf(targetOf("checkout"), "1.1")}` }],
  ])("minds no commit %s that leaves the value", async (_name, files) => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.git.commit(BRANCH, files, "not our business");
    expect(await look(house, delivery)).toMatchObject({ says: "following: ", kind: undefined });
  });

  it("minds no value that was put back before anybody looked", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("1.0");
    house.foreign("1.1");
    expect((await look(house, delivery)).kind).toBeUndefined();
  });

  it("tells the targets apart", async () => {
    const targets = ["cart", "checkout", "search"].map((app) => targetOf(app));
    const house = makeHouse({ targets });
    const delivery = await house.written({ tag: "1.1", apps: ["cart", "checkout", "search"] });
    house.foreign("1.0", "by hand", targets[1]);
    house.foreign("9.9", "by hand", targets[2]);
    await look(house, delivery);
    const kinds = targets.map(async ({ id }) => (await house.targetState(id))?.overridden?.kind);
    expect(await Promise.all(kinds)).toEqual([undefined, "reverted", "changed"]);
  });

  it("tells once what was overridden", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("9.9");
    await look(house, delivery);
    const events = await house.eventsOf(delivery);
    house.foreign("9.8");
    await look(house, delivery);
    expect(await house.eventsOf(delivery)).toEqual(events);
  });

  it("sees the revert of a commit that landed without an answer", async () => {
    const house = makeHouse();
    house.git.onPush = (prepared) => {
      house.git.land(prepared);
      return { kind: "unclear", message: "timed out" };
    };
    const delivery = await house.written({ tag: "1.1" });
    house.git.onPush = undefined;
    house.foreign("1.0");
    expect(await look(house, delivery)).toMatchObject({ kind: "reverted", pinned: true });
  });

  it("goes on when the tip it knew was removed from the repository", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    const known = await house.git.tip(BRANCH, never);
    house.git.commit("other", { [pathOf(house.targets[0]!)]: overlayOf(house.targets[0]!, "1.0") }, "new history");
    house.git.reset(BRANCH, await house.git.tip("other", never));
    house.git.forget(known);
    expect((await look(house, delivery)).kind).toBe("reverted");
  });

  it("keeps a newer build waiting after a revert, until somebody releases the target", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    house.foreign("1.0");
    const newer = await house.written({ tag: "1.2" });
    expect(newer.phase).toBe("received");
    await house.verifyDue();
    expect(await house.saysOf(newer)).toMatch(/^waiting: checkout\/staging is pinned by git: .* reverted it in /);
    await house.store.unpin("checkout/staging");
    await house.verifyDue();
    await house.write();
    expect(house.fileOf()).toContain('newTag: "1.2"');
  });

  it("lets only the newest of several builds wait after a revert", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    house.foreign("1.0");
    const waiting = [await house.ready({ tag: "1.2" }), await house.ready({ tag: "1.3" })];
    await house.write();
    await house.verifyDue();
    const said = await Promise.all(waiting.map((one) => house.saysOf(one)));
    expect(said).toEqual([
      expect.stringMatching(/^superseded: /),
      expect.stringMatching(/^waiting: checkout\/staging is pinned by git/),
    ]);
  });

  it("takes the old value after a change for a revert all the same", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("9.9");
    await look(house, delivery);
    house.foreign("1.0");
    expect(await look(house, delivery)).toMatchObject({ kind: "reverted", pinned: true });
    expect(await house.saysOf(delivery)).toMatch(/^overridden\(changed\): /);
  });

  it("notices that our value was put back", async () => {
    const house = makeHouse();
    const delivery = await house.written({ tag: "1.1" });
    house.foreign("9.9");
    await look(house, delivery);
    house.foreign("1.1");
    expect((await look(house, delivery)).kind).toBeUndefined();
    expect((await house.eventsOf(delivery)).slice(-3)).toEqual(["changed", "done", "restored"]);
  });

  it("takes a person's revert of a rollback for a revert", async () => {
    const house = makeHouse();
    await house.healthy({ tag: "1.1" });
    await house.written({ tag: "1.2" });
    const rollback = await house.rolledBack();
    house.foreign("1.2");
    expect(await look(house, rollback)).toMatchObject({ kind: "reverted", pinned: true });
  });

  it("lets a newer build through after a change", async () => {
    const house = makeHouse();
    await house.written({ tag: "1.1" });
    house.foreign("9.9");
    expect((await house.written({ tag: "1.2" })).phase).toBe("following");
    expect((await house.targetState())?.overridden).toBeUndefined();
  });
});
