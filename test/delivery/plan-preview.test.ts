import { describe, expect, it } from "vitest";
import { type PreviewRequest, previewPlan } from "../../src/delivery/plan-preview.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { aTarget } from "../fakes/examples.ts";
import { BRANCH, type House, makeHouse, never, overlayOf, pathOf, repositoryOf, targetOf } from "./house.ts";

const source = { repository: "https://git.example.com/shop/checkout.git", commit: "c".repeat(40) };
const image = (app: string, tag: string) => ({ name: app, repository: repositoryOf(app), tag });

function previewIn(house: House, request: Partial<PreviewRequest> = {}, find = async () => [application]) {
  const { repository, settings } = house.deps;
  const byPath = async ({ paths }: { paths: readonly string[] }) => {
    const found = await find();
    return new Map(paths.map((path) => [path, found]));
  };
  const deps = { repository, settings, argocd: { find: byPath }, clock: house.time, patienceMs: 0 };
  return previewPlan(deps, { artifacts: [image("checkout", "1.1")], source, sees: () => true, ...request }, never);
}
const application = { cluster: "main", namespace: "argocd", name: "checkout-staging" };

describe("a plan", () => {
  it("shows the diff, the commit message and the Applications, and writes nothing", async () => {
    const house = makeHouse();
    const before = house.git.log(BRANCH);
    const { targets, misses } = await previewIn(house);
    expect(misses).toEqual([]);
    expect(targets).toEqual([
      {
        target: "checkout/staging",
        repository: "gitops",
        branch: BRANCH,
        base: before[0]?.oid,
        diff: [
          "--- a/apps/checkout/overlays/staging/kustomization.yaml",
          "+++ b/apps/checkout/overlays/staging/kustomization.yaml",
          "@@ -1,3 +1,3 @@",
          " images:",
          "   - name: registry.example.com/shop/checkout",
          '-    newTag: "1.0"',
          '+    newTag: "1.1"',
          "",
        ].join("\n"),
        message: expect.stringMatching(/^deploy\(checkout\): staging 1\.1\n[\s\S]*\nGitspan-Source-Commit: c{40}\n/),
        warnings: [],
        applications: ["main/argocd/checkout-staging"],
      },
    ]);
    expect(house.git.log(BRANCH)).toEqual(before);
  });

  it("has no diff and no message where everything stands already", async () => {
    const [target] = (await previewIn(makeHouse(), { artifacts: [image("checkout", "1.0")] })).targets;
    expect(target).toMatchObject({ diff: "" });
    expect(target).not.toHaveProperty("message");
  });

  it("does not need to know the source", async () => {
    const { targets } = await previewIn(makeHouse(), { source: undefined });
    expect(targets[0]?.message).toContain("Source: (not given)@(not given)");
  });

  it("shows only the targets that are asked for and may be seen", async () => {
    const house = makeHouse({ targets: [targetOf("checkout"), targetOf("cart")] });
    const artifacts = [image("checkout", "1.1"), image("cart", "1.1")];
    const idsOf = async (request: Partial<PreviewRequest>) =>
      (await previewIn(house, { artifacts, ...request })).targets.map(({ target }) => target);
    expect(await idsOf({})).toEqual(["checkout/staging", "cart/staging"]);
    expect(await idsOf({ targets: ["cart/staging"] })).toEqual(["cart/staging"]);
    expect(await idsOf({ sees: ({ app }) => app === "checkout" })).toEqual(["checkout/staging"]);
    const { misses } = await previewIn(house, { artifacts, targets: ["search/staging"] });
    expect(misses).toEqual(["search/staging: there is no such target, or it takes none of these images"]);
  });

  it("says why a file would be refused, beside what can be written", async () => {
    const house = makeHouse({ targets: [targetOf("checkout"), targetOf("cart")] });
    const broken = "apps/checkout/overlays/staging/kustomization.yaml";
    house.git.commit(BRANCH, { [broken]: "images: [" }, "break it");
    const { targets } = await previewIn(house, { artifacts: [image("checkout", "1.1"), image("cart", "1.1")] });
    expect(targets[0]).toMatchObject({ diff: "", refusal: { code: "edit-parse" } });
    expect(targets[1]?.diff).not.toBe("");
  });

  it("builds each change on those before it, as the commits would be", async () => {
    const checkout = targetOf("checkout");
    const cart = targetOf("cart", { places: checkout.places });
    const house = makeHouse({ targets: [cart, checkout] });
    const both = overlayOf({ ...cart, images: [...cart.images, ...checkout.images] }, "1.0");
    house.git.commit(BRANCH, { [pathOf(cart)]: both }, "both in one folder");
    const { targets } = await previewIn(house, { artifacts: [image("checkout", "1.1"), image("cart", "1.1")] });
    expect(targets[0]?.diff).toContain('\n+    newTag: "1.1"\n');
    expect(targets[1]?.diff).toContain('\n     newTag: "1.1"\n');
  });

  it("leaves out what only a pattern knows", async () => {
    const target = aTarget({ byPattern: true, places: [{ format: "kustomize", directory: "apps/none" }] });
    const house = makeHouse();
    house.use({ match: ({ artifacts }) => ({ matches: [{ target, images: artifacts }], misses: [] }) });
    expect((await previewIn(house)).targets).toEqual([]);
  });

  it("says why the Applications are not known when Argo CD cannot be asked", async () => {
    const { targets } = await previewIn(makeHouse(), {}, async () => {
      throw new GitspanError("argocd-unreachable", "main is not heard of yet", { transient: true });
    });
    expect(targets[0]).toMatchObject({ applicationsUnknown: "main is not heard of yet" });
    expect(targets[0]).not.toHaveProperty("applications");
  });
});
