import { expect, it } from "vitest";
import { aTarget } from "../fakes/examples.ts";
import { makeHouse, targetOf } from "./house.ts";

it("ends a delivery to a place that only the pattern knows, without failing, and writes the others", async () => {
  const there = targetOf("checkout");
  const missing = aTarget({ ...there, id: "checkout/prod", environment: "prod", byPattern: true });
  const nowhere = { ...missing, places: [{ format: "kustomize" as const, directory: "apps/checkout/overlays/prod" }] };
  const house = makeHouse({ targets: [there] });
  const targets = [there, nowhere];
  house.use({
    targets: () => targets,
    target: (id) => targets.find((target) => target.id === id),
    match: ({ artifacts }) => ({ matches: targets.map((target) => ({ target, images: artifacts })), misses: [] }),
  });
  const deliveries = await house.received({ tag: "1.1" });
  await house.verifyDue();
  await house.write();
  expect(await Promise.all(deliveries.map((delivery) => house.saysOf(delivery)))).toEqual([
    expect.stringMatching(/^following/),
    "cancelled(target-removed): checkout is not in prod: there is no apps/checkout/overlays/prod/kustomization.yaml, where the pattern has it",
  ]);
});

it("refuses the same for a target that the configuration names itself", async () => {
  const house = makeHouse();
  const target = { ...house.targets[0]!, places: [{ format: "kustomize" as const, directory: "apps/nowhere" }] };
  house.use({ target: () => target });
  const delivery = await house.written({ tag: "1.1" });
  expect(await house.saysOf(delivery)).toContain("rejected(edit-refused): apps/nowhere has no kustomization file");
});
