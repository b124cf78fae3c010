import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const VALUES = "image:\n  repository: r.io/app\n  tag: v1 # here\n";
const IMAGE = ["--image", "r.io/app:v2"];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gitspan-edit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, name = "values.yaml"): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function edit(...args: string[]) {
  return runCli(["edit", ...args]);
}

describe("what is printed", () => {
  test("the result of a file, or of standard input", async () => {
    const after = VALUES.replace("v1", "v2");
    expect(await edit(...IMAGE, file(VALUES))).toEqual({ code: 0, stdout: after, stderr: "" });
    expect(await runCli(["edit", ...IMAGE], { input: VALUES })).toEqual({ code: 0, stdout: after, stderr: "" });
    expect(await runCli(["edit", ...IMAGE, "-"], { input: `\uFEFF${VALUES}` })).toMatchObject({
      stdout: `\uFEFF${after}`,
    });
  });

  test("a diff, for several files too", async () => {
    const [one, two, other] = [
      file(VALUES, "one.yaml"),
      file("a: r.io/app:v1\n", "two.yaml"),
      file("b: 1\n", "other.yaml"),
    ];
    const { code, stdout } = await edit(...IMAGE, "--diff", one, two, other);
    expect([code, stdout]).toEqual([
      0,
      `--- a/${one}\n+++ b/${one}\n@@ -1,3 +1,3 @@\n image:\n   repository: r.io/app\n-  tag: v1 # here\n+  tag: v2 # here\n--- a/${two}\n+++ b/${two}\n@@ -1 +1 @@\n-a: r.io/app:v1\n+a: r.io/app:v2\n`,
    ]);
  });

  test("nothing but the exit code with --check", async () => {
    const path = file(VALUES);
    expect(await edit(...IMAGE, "--check", path)).toEqual({ code: 1, stdout: "", stderr: `${path} would change\n` });
    expect(await edit("--image", "r.io/app:v1", "--check", path)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(path, "utf8")).toBe(VALUES);
  });

  test("warnings apart from the data", async () => {
    const { stdout, stderr } = await runCli(["edit", "--image", `r.io/app:v2@sha256:${"d".repeat(64)}`], {
      input: VALUES,
    });
    expect(stdout).toBe(VALUES.replace("v1", "v2"));
    expect(stderr).toBe(
      "gitspan: warning: stdin: r.io/app is written by its tag alone: the file has no place for a digest\n",
    );
  });
});

describe("what the flags mean", () => {
  const kustomization = "resources:\n- https://h.io/o/r?ref=v1\nimages:\n- name: r.io/app\n  newTag: v1\n";
  test.each<[string[], string]>([
    [["--image", "r.io/app=r.io/new:v2"], kustomization.replace("newTag: v1", "newName: r.io/new\n  newTag: v2")],
    [["--image", "r.io/app=r.io/new"], kustomization.replace("  newTag", "  newName: r.io/new\n  newTag")],
    [["--ref", "v1=v2"], kustomization.replace("ref=v1", "ref=v2")],
    [["--ref", "https://h.io/o/r=v2", "--image", "r.io/app:v2"], kustomization.replaceAll("v1", "v2")],
    [["--ref", "https://h.io/o/r?ref=v1=v2"], kustomization.replace("ref=v1", "ref=v2")],
    [["--at", "images[name=r.io/app].newTag=v2"], kustomization.replace("newTag: v1", "newTag: v2")],
    [["--at", "0#images.0.newTag=v2"], kustomization.replace("newTag: v1", "newTag: v2")],
    [["--format", "kustomize", "--image", "r.io/app:v2"], kustomization.replace("newTag: v1", "newTag: v2")],
  ])("%j", async (flags, after) => {
    expect(await runCli(["edit", ...flags], { input: kustomization })).toEqual({ code: 0, stdout: after, stderr: "" });
  });

  test.each<[format: string, moved: string[]]>([
    ["auto", ["a", "b", "c", "d", "e"]],
    ["kustomize", []],
    ["helm", ["a", "b", "e"]],
    ["raw", ["a", "b", "e"]],
    ["patch", ["a", "b", "d", "e"]],
    ["argocd", ["a", "b", "c", "d", "e"]],
    ["json", ["a", "b", "e"]],
    ["flux", ["e"]],
    ["yaml", ["a", "b", "c", "e"]],
  ])("--format %s looks where that format has images", async (format, moved) => {
    const parts: Record<string, string> = {
      a: "a: r.io/app:v1\n",
      b: "b: {repository: r.io/app, tag: v1}\n",
      c: "kustomize: {images: [x=r.io/app:v1]}\n",
      d: "patches:\n- patch: |\n    image: r.io/app:v1\n",
      e: 'e: r.io/app:v1 # {"$imagepolicy": "x:y"}\n',
    };
    const before = Object.values(parts).join("");
    const after = Object.entries(parts).map(([part, text]) => (moved.includes(part) ? text.replace("v1", "v2") : text));
    const { code, stdout } = await runCli(["edit", ...IMAGE, "--format", format], { input: before });
    expect([code, stdout]).toEqual(moved.length === 0 ? [1, ""] : [0, after.join("")]);
  });

  test("a refusal inside of a text underlines the place in the file", async () => {
    const input = "patches:\n- patch: |\n    image: r.io/app:v1\n    image: b\n";
    const { code, stderr } = await runCli(["edit", ...IMAGE], { input });
    expect([code, stderr]).toEqual([
      1,
      `gitspan: stdin:3:5: the key "image" stands here a second time [edit-ambiguous]
  3 |     image: r.io/app:v1
    |     ^^^^^^
  hint: Remove one of the two "image" lines.
`,
    ]);
  });

  test.each<[string[], string]>([
    [[], "there is nothing to change"],
    [["--image", "r.io/app"], "there is no tag, digest or new name to write"],
    [["--image", "R:v2"], '"R" is not an image repository'],
    [["--image", "A=b:v2"], '"A" is no image'],
    [["--ref", "v2"], "there is no new ref"],
    [["--at", "image.tag"], "this is not PATH=VALUE"],
    [["--at", "a..b=1"], "this is not PATH=VALUE"],
    [[...IMAGE, "--write"], "standard input cannot be written to"],
    [[...IMAGE, "a.yaml", "b.yaml"], "the results of several files cannot be told apart"],
    [[...IMAGE, "--format", "toml"], "Allowed choices are"],
    [[...IMAGE, "--check", "--write"], "cannot be used with option"],
    [[...IMAGE, "--batch"], "--batch takes neither files nor changes"],
    [[...IMAGE, "/nonexistent/file.yaml"], "cannot be read"],
    [[...IMAGE, tmpdir()], "is no file"],
  ])("%j is refused", async (args, message) => {
    const { code, stdout, stderr } = await runCli(["edit", ...args], { input: VALUES });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  test("a file that is no text is refused", async () => {
    const path = join(folder, "binary.yaml");
    writeFileSync(path, Buffer.from([0x61, 0xff]));
    expect(await edit(...IMAGE, path)).toMatchObject({ code: 2, stderr: expect.stringContaining("is not UTF-8 text") });
  });
});

describe("refusals", () => {
  test("show the place, the line with what is meant underlined, and what to do", async () => {
    const { code, stdout, stderr } = await runCli(["edit", ...IMAGE], {
      input: "v: &v v1\n\n\n\nlist: {repository: r.io/app, tag: *v}\n",
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(
      stderr,
    ).toBe(`gitspan: stdin:5:35: the value is shared: the value is *v, which stands elsewhere [edit-shared-value]
  5 | list: {repository: r.io/app, tag: *v}
    |                                   ^^
  hint: Write the value out where it is to change, without anchor and alias.
`);
  });

  test("of one file leave all files as they are", async () => {
    const [good, bad] = [file(VALUES, "good.yaml"), file("image: r.io/app:v1\na: [\n", "bad.yaml")];
    const { code, stderr } = await edit(...IMAGE, "--write", good, bad);
    expect(code).toBe(1);
    expect(stderr).toContain("bad.yaml:3:1: not valid YAML");
    expect(readFileSync(good, "utf8")).toBe(VALUES);
  });

  test("an image that none of several files has", async () => {
    const { code, stderr } = await edit(
      "--image",
      "r.io/none:v2",
      "--check",
      file(VALUES, "a.yaml"),
      file(VALUES, "b.yaml"),
    );
    expect(code).toBe(1);
    expect(stderr.match(/nothing here says which r\.io\/none runs/g)).toHaveLength(1);
  });
});

describe("--write", () => {
  test("replaces the file, keeps its mode and leaves nothing else behind", async () => {
    const path = file(VALUES);
    chmodSync(path, 0o640);
    expect(await edit(...IMAGE, "--write", path)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(path, "utf8")).toBe(VALUES.replace("v1", "v2"));
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(["values.yaml"]);
  });

  test("leaves a file alone that is as it should be", async () => {
    const path = file(VALUES);
    const { ino } = statSync(path);
    expect(await edit("--image", "r.io/app:v1", "--write", path)).toMatchObject({ code: 0 });
    expect(statSync(path).ino).toBe(ino);
  });

  test("follows a link to a file beside it, and none that leads out", async () => {
    const inside = join(folder, "inside.yaml");
    file(VALUES);
    symlinkSync("values.yaml", inside);
    expect(await edit(...IMAGE, "--write", inside)).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "values.yaml"), "utf8")).toBe(VALUES.replace("v1", "v2"));

    const [secret, outside] = [file(VALUES, "elsewhere/values.yaml"), join(folder, "home/link.yaml")];
    mkdirSync(join(folder, "home"));
    symlinkSync("../elsewhere/values.yaml", outside);
    expect(await edit(...IMAGE, "--write", outside)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("leads out of"),
    });
    expect(readFileSync(secret, "utf8")).toBe(VALUES);
  });
});

describe("how images are written", () => {
  const DIGEST = `sha256:${"d".repeat(64)}`;
  const BOTH = ["--image", `r.io/app:v2@${DIGEST}`];

  test.each([
    ["tag+digest", `- name: r.io/app\n  newTag: v2\n  digest: ${DIGEST}\n`],
    ["tag", "- name: r.io/app\n  newTag: v2\n"],
    ["digest", `- name: r.io/app\n  digest: ${DIGEST}\n`],
  ])("--digest %s writes that, and leaves nothing stale", async (policy, entry) => {
    for (const before of ["  newTag: v1\n", `  newTag: v1\n  digest: sha256:${"0".repeat(64)}\n`]) {
      const path = file(`images:\n- name: r.io/app\n${before}`, "kustomization.yaml");
      expect(await edit(...BOTH, "--digest", policy, path)).toEqual({
        code: 0,
        stdout: `images:\n${entry}`,
        stderr: "",
      });
    }
  });

  test("--digest holds for values and references too", async () => {
    expect(await edit(...BOTH, "--digest", "tag", file(VALUES))).toMatchObject({ stdout: VALUES.replace("v1", "v2") });
    const pod = file("kind: Pod\nspec: {containers: [{image: r.io/app:v1}]}\n", "pod.yaml");
    expect((await edit(...BOTH, "--digest", "digest", pod)).stdout).toContain(`image: r.io/app@${DIGEST}}`);
    expect(await edit("--image", "r.io/app:v2", "--digest", "digest", pod)).toMatchObject({ code: 1, stdout: "" });
    expect(await edit(...BOTH, "--digest", "both", pod)).toMatchObject({ code: 2 });
  });

  test("--add gives an image an entry in a kustomization, and only there", async () => {
    const path = file("resources: [../base]\n", "kustomization.yaml");
    expect((await edit(...IMAGE, path)).code).toBe(1);
    const after = "resources: [../base]\nimages:\n- name: r.io/app\n  newTag: v2\n";
    expect(await edit(...IMAGE, "--add", path)).toEqual({ code: 0, stdout: after, stderr: "" });
    expect(await edit(...IMAGE, "--add", file(after, "kustomization.yaml"))).toMatchObject({ stdout: after });
    const piped = { input: "resources: [../base]\n" };
    expect(await runCli(["edit", ...IMAGE, "--add", "--format", "kustomize"], piped)).toMatchObject({ stdout: after });
    expect((await runCli(["edit", ...IMAGE, "--add"], piped)).code).toBe(1);
    expect((await edit(...IMAGE, "--add", file("a: 1\n"))).code).toBe(1);
  });

  test("--add leaves files alone that have the image already, and does not choose between kustomizations", async () => {
    const [values, one] = [file(VALUES), file("resources: []\n", "one/kustomization.yaml")];
    expect(await edit(...IMAGE, "--add", "--write", values, one)).toMatchObject({ code: 0 });
    expect([readFileSync(values, "utf8"), readFileSync(one, "utf8")]).toEqual([
      VALUES.replace("v1", "v2"),
      "resources: []\n",
    ]);
    const other = ["--image", "r.io/other:v2", "--add", "--write"];
    const two = file("resources: []\n", "two/kustomization.yaml");
    const { code, stderr } = await edit(...other, one, two);
    expect([code, stderr]).toEqual([2, expect.stringContaining("could get the new entry")]);
    expect(await edit(...other, values, one)).toMatchObject({ code: 0 });
    expect(readFileSync(one, "utf8")).toContain("- name: r.io/other");
  });

  test("both hold for every line of a batch", async () => {
    const before = "resources: []\n";
    const intents = [{ op: "bump", image: "r.io/app", newTag: "v2", digest: DIGEST }];
    const input = `${JSON.stringify({ id: 1, path: "kustomization.yaml", before, intents })}\n`;
    const { stdout } = await runCli(["edit", "--batch", "--add", "--digest", "tag"], { input });
    expect(JSON.parse(stdout)).toMatchObject({ after: `${before}images:\n- name: r.io/app\n  newTag: v2\n` });
  });
});
