import { describe, expect, it } from "vitest";
import type { GitRepository } from "../../src/delivery/ports.ts";
import { GitspanError } from "../../src/model/errors.ts";
import { BRANCH, type House, makeHouse, pathOf, repositoryOf, targetOf, unreachable } from "./house.ts";

const apps = ["cart", "checkout", "search"];
const culprit = targetOf("checkout");
const path = pathOf(culprit);
const folder = path.slice(0, path.lastIndexOf("/"));

/** Three targets in one batch; somebody has changed the files of the middle one. */
async function writeThree(change: Parameters<House["git"]["commit"]>[1]) {
  const house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
  house.git.commit(BRANCH, change, "by hand");
  const deliveries = await house.received({ tag: "1.1", apps });
  await house.verifyDue();
  const result = await house.write();
  const [cart, checkout, search] = await Promise.all(deliveries.map(house.reread));
  return { house, result, neighbours: [cart?.phase, search?.phase], checkout: await house.saysOf(checkout!) };
}

const REFUSALS: [string, Record<string, string | { content: string | Uint8Array; mode: string } | null>, string][] = [
  ["broken YAML", { [path]: "images: [\n" }, ""],
  ["no entry for the image", { [path]: "images: []\n" }, "no entry of images is for"],
  [
    "a tag that an anchor shares",
    { [path]: `images:\n- name: ${repositoryOf("checkout")}\n  newTag: &t "1"\n- {name: x, newTag: *t}\n` },
    "",
  ],
  [
    "a template in place of YAML",
    { [path]: `images:\n- name: ${repositoryOf("checkout")}\n  newTag: {{ .tag }}\n` },
    "",
  ],
  ["no kustomization", { [path]: null }, "has no kustomization file. Create the overlay"],
  [
    "two kustomizations",
    { [`${folder}/kustomization.yml`]: "images: []\n" },
    `has both ${path} and ${folder}/kustomization.yml`,
  ],
  [
    "bytes that are not UTF-8",
    { [path]: { content: Buffer.from([0xff, 0xfe, 0x00]), mode: "100644" } },
    `${path}:1:1: ${path} is not UTF-8 text`,
  ],
  ["a symbolic link on the way", { [folder]: { content: "../base", mode: "120000" } }, "symbolic link"],
  ["a submodule on the way", { [folder]: { content: "a".repeat(40), mode: "160000" } }, "submodule"],
];

describe("plan: a target whose files cannot be edited", () => {
  it.each(REFUSALS)("is rejected for %s, and its neighbours in the batch are written", async (_name, change, words) => {
    const { house, checkout, neighbours, result } = await writeThree(change);
    expect(checkout).toMatch(/^rejected\(edit-refused\): /);
    expect(checkout).toContain(words);
    expect(neighbours).toEqual(["following", "following"]);
    expect(house.writers().filter((id) => id !== "")).toHaveLength(2);
    expect(result.kind).toBe("idle");
  });

  it("is rejected for a file that is too large to read, and its neighbours are written", async () => {
    const house = makeHouse({ targets: apps.map((app) => targetOf(app)) });
    const tooLarge = new GitspanError("git-too-large", "an object of 9000000 bytes is larger than the limit");
    house.useGit(
      failing(house.git, "readFiles", (_commit, paths: readonly string[]) =>
        paths.includes(path) ? tooLarge : undefined,
      ),
    );
    const deliveries = await house.received({ tag: "1.1", apps });
    await house.verifyDue();
    await house.write();
    const [cart, checkout, search] = await Promise.all(deliveries.map(house.reread));
    expect(checkout).toMatchObject({ outcome: "rejected", reason: "edit-refused" });
    expect([cart?.phase, search?.phase]).toEqual(["following", "following"]);
  });

  it("waits when the repository cannot be read just now", async () => {
    const house = makeHouse();
    const delivery = await house.ready({ tag: "1.1" });
    house.useGit(failing(house.git, "readFiles", unreachable));
    await expect(house.write()).rejects.toMatchObject({ code: "git-unreachable" });
    expect((await house.reread(delivery)).phase).toBe("ready");
  });
});

function failing(
  git: GitRepository,
  method: "readFiles",
  fault: (commit: string, paths: readonly string[]) => GitspanError | undefined,
): GitRepository {
  return new Proxy(git, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (typeof value !== "function") return value;
      if (property !== method) return value.bind(object);
      return async (...input: Parameters<GitRepository["readFiles"]>) => {
        const error = fault(input[0], input[1]);
        if (error !== undefined) throw error;
        return object.readFiles(...input);
      };
    },
  });
}
