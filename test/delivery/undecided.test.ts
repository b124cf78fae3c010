import { describe, expect, it } from "vitest";
import { observe } from "../../src/delivery/observe.ts";
import type { Settings } from "../../src/delivery/ports.ts";
import { BRANCH, type House, makeHouse, never, overlayOf, pathOf, settingsOf, targetOf } from "./house.ts";
import { applicationRef } from "./scripted-argocd.ts";

const target = targetOf("checkout");
const WHY = "Argo CD has not told its Applications yet";

function known(house: House, isKnown: boolean): void {
  const none: Partial<Settings> = { target: () => undefined, undecided: () => WHY };
  house.use({ ...settingsOf([target]), ...(isKnown ? {} : none) });
}

describe("a target of which nobody can say yet whether it is one", () => {
  it("keeps what is on its way: it waits, and is written once the target is known", async () => {
    const house = makeHouse({ targets: [target] });
    house.argocd.says(applicationRef("checkout"), { state: "pushed" });
    const delivery = await house.ready({ tag: "1.1" });
    known(house, false);
    expect(await house.write()).toEqual({ kind: "again", why: WHY });
    expect(await house.reread(delivery)).toMatchObject({ phase: "ready" });
    known(house, true);
    await house.write();
    expect(await house.reread(delivery)).toMatchObject({ phase: "following" });
    known(house, false);
    await expect(observe(house.deps, await house.reread(delivery), never)).rejects.toMatchObject({
      code: "targets-unknown",
      transient: true,
    });
    expect(await house.reread(delivery)).toMatchObject({ phase: "following" });
  });

  it("keeps the branch from being looked through: what others do meanwhile is seen later", async () => {
    const house = makeHouse({ targets: [target] });
    house.argocd.says(applicationRef("checkout"), { state: "pushed" });
    const delivery = await house.ready({ tag: "1.1" });
    await house.write();
    known(house, false);
    house.git.commit(BRANCH, { [pathOf(target)]: overlayOf(target, "1.0") }, "back");
    await house.write();
    known(house, true);
    await house.write();
    expect(await house.reread(delivery)).toMatchObject({ outcome: "overridden", reason: "reverted" });
  });

  it("ends what is on its way when it turns out to be none, and says why", async () => {
    const house = makeHouse({ targets: [target] });
    const delivery = await house.ready({ tag: "1.1" });
    const application = { cluster: "main", namespace: "argocd", name: "checkout" };
    const { app, environment } = target;
    const refused = [{ application, app, environment, images: [], message: "it may not", hint: "Ask." }];
    house.use({ ...settingsOf([]), refused: () => refused });
    await house.write();
    expect(await house.reread(delivery)).toMatchObject({
      outcome: "cancelled",
      reason: "target-removed",
      message: `${target.id} is no longer in the configuration: it may not`,
    });
  });

  it("is refused a write while its files do not tell where, with the reason", async () => {
    const house = makeHouse({ targets: [target] });
    const delivery = await house.ready({ tag: "1.1" });
    const misplaced = { code: "edit-not-found" as const, message: "no file has it", hint: "Write it." };
    house.use(settingsOf([{ ...target, misplaced }]));
    await house.write();
    expect(await house.reread(delivery)).toMatchObject({
      outcome: "rejected",
      reason: "edit-refused",
      message: "no file has it. Write it.",
    });
  });

  it("is written with the settings that hold at the tip of the branch", async () => {
    const house = makeHouse({ targets: [target] });
    house.argocd.says(applicationRef("checkout"), { state: "pushed" });
    const delivery = await house.ready({ tag: "1.1" });
    const moved = targetOf("checkout");
    moved.places = [{ format: "kustomize", directory: "moved" }];
    const tip = house.git.commit(BRANCH, { "moved/kustomization.yaml": overlayOf(target, "1.0") }, "move");
    const asked: string[] = [];
    house.deps.settle = async (lane, at) => {
      asked.push(`${lane.id} ${at}`);
      house.use({ ...settingsOf([moved]), hash: "moved" });
    };
    await house.write();
    expect(asked[0]).toBe(`gitops@main ${tip}`);
    expect(await house.reread(delivery)).toMatchObject({ phase: "following" });
    expect(house.git.show(BRANCH, "moved/kustomization.yaml")).toContain('"1.1"');
  });
});
