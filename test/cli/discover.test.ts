import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfiguration } from "../../src/config/load.ts";
import { tree } from "../overlays/discover-tree.ts";
import { runCli } from "./run-cli.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gitspan-tree-"));
  for (const [file, text] of Object.entries(tree)) put(file, text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(file: string, content: string | Buffer): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), content);
}

const UNREAD = ["chart/templates/pod.yaml", "ambiguous.yaml"]
  .map((file) => `gitspan: not looked into: ${file}\n`)
  .join("");

describe("gitspan plan --discover", () => {
  test("shows where an image is written, what leads there and what would change, and writes nothing", async () => {
    const { code, stdout, stderr } = await runCli(["plan", "--discover", folder, "--image", "r.io/patched:v2"]);
    expect([code, stderr]).toEqual([0, ""]);
    const file = "apps/shop/overlays/dev/patch.yaml";
    expect(stdout).toBe(`# IMAGE            PLACE                                FORMAT  FROM
# r.io/patched:v1  ${file}:1  patch   argocd/set.yaml#ApplicationSet/all, argocd/shop.yaml#Application/shop
--- a/${file}
+++ b/${file}
@@ -1 +1 @@
-- {op: replace, path: /a, value: r.io/patched:v1}
+- {op: replace, path: /a, value: r.io/patched:v2}
`);
    expect(readFileSync(join(folder, file), "utf8")).toBe(tree[file]);
  });

  test("shows every image without one that is asked for, as JSON for programs", async () => {
    const { code, stdout } = await runCli(["plan", "--discover", folder, "-o", "json"]);
    const answer = JSON.parse(stdout) as { places: { reference: string; ways: string[][] }[]; diff: string };
    expect([code, answer.places.length, answer.diff]).toEqual([0, 16, ""]);
    expect(answer.places.find(({ reference }) => reference === "r.io/side:v1")?.ways).toContainEqual([
      "component of apps/shop/overlays/dev/kustomization.yaml",
      "source of argocd/shop.yaml#Application/shop",
    ]);
  });

  test("moves several places of one file together", async () => {
    const { stdout } = await runCli(["plan", "--discover", folder, "--image", "r.io/twice:v2"]);
    expect(stdout).toContain(
      "-other: r.io/twice:v1\n-more: r.io/twice:v1\n+other: r.io/twice:v2\n+more: r.io/twice:v2\n",
    );
  });

  test.each<[string[], number, string]>([
    [["--image", "r.io/none:v1"], 1, "no place is for these images"],
    [["--image", "r.io/web:v2", "--check"], 1, ""],
    [["--image", "r.io/web:v1", "--check"], 0, ""],
    [["--image", "R:1"], 2, "is not an image repository"],
    [["--config", "x.yaml"], 2, "--discover takes images only"],
  ])("%j ends with %i", async (args, code, message) => {
    const result = await runCli(["plan", "--discover", folder, ...args]);
    expect([result.code, result.stderr.includes(message)]).toEqual([code, true]);
  });

  test("says which place would be refused", async () => {
    put(
      "two.yaml",
      "kind: A\nimage: &i r.io/odd:v1\nname: *i\nother: {x: 1, x: 2, image: r.io/odd:v1, image: r.io/odd:v1}\n",
    );
    const { code, stderr } = await runCli(["plan", "--discover", folder, "--image", "r.io/odd:v2"]);
    expect([code, stderr]).toEqual([
      1,
      `gitspan: would be refused: two.yaml:4:21: the key "image" stands here a second time [edit-ambiguous]
  4 | other: {x: 1, x: 2, image: r.io/odd:v1, image: r.io/odd:v1}
    |                     ^^^^^^
  hint: Remove one of the two "image" lines.
`,
    ]);
  });

  test("leaves links, other files and what is no text alone, and needs a folder", async () => {
    put("bad.yaml", Buffer.from([0x61, 0x3a, 0xff]));
    put("notes.txt", "image: r.io/web:v1\n");
    put(".git/x.yaml", "image: r.io/web:v1\n");
    symlinkSync(join(folder, "shared"), join(folder, "again"));
    const { stdout } = await runCli(["plan", "--discover", folder, "--image", "r.io/web:v2", "-o", "json"]);
    expect((JSON.parse(stdout) as { places: { file: string }[] }).places.map(({ file }) => file)).toEqual([
      "shared/values.yaml",
    ]);
    expect(await runCli(["plan", "--discover", join(folder, "none")])).toMatchObject({ code: 2 });
    expect(await runCli(["plan", "--image", "r.io/web:v2"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a plan needs a configuration") as string,
    });
  });
});

describe("gitspan init", () => {
  test("prints a configuration that the server takes, with each image at its places", async () => {
    const { code, stdout, stderr } = await runCli(["init", folder]);
    expect([code, stderr]).toEqual([0, UNREAD]);
    const { targets } = loadConfiguration(stdout, "gitspan.yaml");
    const places = Object.fromEntries(targets.map((target) => [target.id, target.places]));
    expect(places["side/default"]).toEqual([{ format: "kustomize", directory: "apps/shop/part" }]);
    expect(places["json/prod"]).toEqual([{ format: "json", file: "config/prod.json" }]);
    expect(places["twice/dev"]).toHaveLength(2);
    expect(targets).toHaveLength(15);
    expect(stdout).toContain("# The address is not known: correct it.");
  });

  test("what an overlay says again is not taken from the base", async () => {
    put("apps/shop/overlays/prod/kustomization.yaml", "images: [{name: r.io/shop, newTag: v1}]\n");
    const { stdout } = await runCli(["init", folder]);
    const { targets } = loadConfiguration(stdout, "gitspan.yaml");
    const own = targets.filter(({ images }) => images.some(({ repository }) => repository === "r.io/shop"));
    expect(own.map(({ id, places }) => [id, places])).toEqual([
      ["shop/prod", [{ format: "kustomize", directory: "apps/shop/overlays/prod" }]],
    ]);
  });

  test.each([
    ["https://git.example.com/org/gitops.git", "https://git.example.com/org/gitops.git"],
    ["https://someone:secret@git.example.com/org/gitops.git", "https://git.example.com/org/gitops.git"],
    ["git@git.example.com:org/gitops.git", "https://git.example.com/org/gitops.git"],
    ["ssh://git@git.example.com:2222/org/gitops.git", "https://git.example.com/org/gitops.git"],
    ["../elsewhere", "https://git.example.com/change/me.git"],
  ])("the clone's remote %s becomes %s", async (remote, url) => {
    put(".git/config", `[core]\n\tbare = false\n[remote "other"]\n\turl = x\n[remote "origin"]\n\turl = ${remote}\n`);
    put(".git/HEAD", "ref: refs/heads/release/1\n");
    const { stdout } = await runCli(["init", folder]);
    expect(loadConfiguration(stdout, "g.yaml").repositories).toEqual(
      new Map([["gitops", expect.objectContaining({ url, branch: "release/1" }) as object]]),
    );
  });

  test("writes a file that is not there yet, and no other", async () => {
    const path = join(folder, "gitspan.new");
    const { code, stdout, stderr } = await runCli(["init", folder, "--write", path]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("is written; look at it");
    const text = readFileSync(path, "utf8");
    expect(await runCli(["init", folder, "--write", path])).toMatchObject({ code: 2, stdout: "" });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("needs a repository that writes images", async () => {
    rmSync(folder, { recursive: true });
    put("readme.yaml", "a: 1\n");
    expect(await runCli(["init", folder])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no file in") as string,
    });
  });
});
