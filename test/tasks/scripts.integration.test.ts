import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { runStep, type StepInput } from "./step.ts";

let folder: string;
let source: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "gitspan-scripts-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  source = await mkdtemp(path.join(folder, "source-"));
});

describe("git-clone", () => {
  const auth = { username: "ci", password: "a pass'word" };
  let server: GitServer;
  let first: string;
  let commit: string;
  let basicAuth: string;

  beforeAll(async () => {
    server = await startGitServer({ auth });
    first = await server.createRepository("checkout", { "hello.txt": "one\n" });
    commit = await server.commit("checkout", { "hello.txt": "two\n" }, "two");
    const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await server.git("checkout", ...identity, "tag", "-a", "v1.0.0", "-m", "a tag", first);
    basicAuth = path.join(folder, "basic-auth");
    await mkdir(basicAuth);
    for (const [name, value] of Object.entries(auth)) await writeFile(path.join(basicAuth, name), value);
  });
  afterAll(() => server.close());

  const clone = (params: StepInput["params"], workspaces: StepInput["workspaces"] = {}) =>
    runStep({
      task: "git-clone",
      step: "clone",
      params: { url: server.url("checkout"), ...params },
      workspaces: { source, "basic-auth": basicAuth, ...workspaces },
    });

  it.each([
    ["a branch", () => "main", () => commit],
    ["a commit", () => first, () => first],
    ["an annotated tag, as its commit", () => "v1.0.0", () => first],
    ["a ref", () => "refs/heads/main", () => commit],
    ["nothing said", () => "HEAD", () => commit],
  ])("checks out %s and says what it is", async (_what, revision, wanted) => {
    const { code, output, results } = await clone({ revision: revision() });
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(results).toEqual({
      commit: wanted(),
      url: server.url("checkout"),
      "committer-date": expect.stringMatching(/^\d{9,11}$/),
    });
    expect(await readFile(path.join(source, "hello.txt"), "utf8")).toBe(wanted() === first ? "one\n" : "two\n");
  });

  it("fetches as much history as it is told", async () => {
    await clone({});
    const shallow = await readFile(path.join(source, ".git/shallow"), "utf8");
    expect(shallow.trim()).toBe(commit);
    await clone({ depth: "0" });
    expect(await readdir(path.join(source, ".git"))).not.toContain("shallow");
  });

  it("removes what is there, or refuses it, and leaves the rest of the volume alone", async () => {
    await writeFile(path.join(source, "beside"), "");
    await mkdir(path.join(source, "lost+found"));
    await mkdir(path.join(source, "app"));
    await writeFile(path.join(source, "app/.old"), "");
    const refused = await clone({ subdirectory: "app", clean: "false" });
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("not empty") });
    expect((await clone({ subdirectory: "app" })).code).toBe(0);
    expect(await readdir(path.join(source, "app"))).toEqual([".git", "hello.txt"]);
    expect(await readdir(source)).toEqual(["app", "beside", "lost+found"]);
    expect((await clone({})).code).toBe(0);
    expect(await readdir(source)).toEqual([".git", "hello.txt", "lost+found"]);
  });

  it("leaves no password in the workspace", async () => {
    await clone({});
    expect(await readFile(path.join(source, ".git/config"), "utf8")).not.toContain("word");
  });

  it("shows the password to the host of the url alone", async () => {
    // A submodule on another host that would take the same password: it must not even be tried.
    const other = await startGitServer({ auth });
    const inner = await other.createRepository("inner", { "hello.txt": "one\n" });
    await server.createRepository("outer", { "hello.txt": "one\n" });
    const modules = `[submodule "m"]\n\tpath = m\n\turl = ${other.url("inner")}\n`;
    await server.importStream(
      "outer",
      `commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 1\nm\nfrom refs/heads/main^0
M 160000 ${inner} m\nM 100644 inline .gitmodules\ndata ${modules.length}\n${modules}\n`,
    );
    const outer = { url: server.url("outer") };
    expect(await clone(outer)).toMatchObject({ code: 0 });
    const { code, output } = await clone({ ...outer, submodules: "true" });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining(other.origin) });
    expect((await clone({ url: other.url("inner") })).code).toBe(0);
    await other.close();
  });

  it("tries again when the server is away for a moment", async () => {
    server.failNext("discover", { kind: "answer", status: 503 });
    expect((await clone({})).code).toBe(0);
  });

  it.each([
    ["an option for a url", { url: "--upload-pack=touch x" }, "dash"],
    ["a program", { url: "ext::sh -c id" }, "none of"],
    ["a file of the Pod", { url: "file:///etc" }, "none of"],
    ["a password in the url", { url: "https://ci:secret@git.example.com/a.git" }, "holds a password"],
    ["an option for a revision", { revision: "--upload-pack=touch x" }, "revision"],
    ["a refspec", { revision: "+main:refs/heads/x" }, "revision"],
    ["a depth that is none", { depth: "1 --upload-pack=x" }, "depth"],
    ["a way out", { subdirectory: "a/../../b" }, "leaves"],
  ])("refuses %s", async (_what, params, words) => {
    const { code, output, results } = await clone(params);
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining(words) });
    expect(results).toEqual({});
  });

  it("fails for a revision that is not there, and says which", async () => {
    const { code, output } = await clone({ revision: "0".repeat(39) + "1" });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining("cannot be fetched") });
  }, 20_000);
});

describe("run-tests", () => {
  const test = (script: string, directory = ".") =>
    runStep({ task: "run-tests", step: "test", params: { image: "x:1", script, directory }, workspaces: { source } });

  it("ends as the script does, at the first command that fails", async () => {
    expect(await test('test "$CI" = true; touch a "$HOME/b"')).toMatchObject({ code: 0 });
    expect(await readdir(source)).toEqual(["a"]);
    expect((await test("exit 7; true")).code).toBe(7);
    expect((await test("false\ntouch c")).code).toBe(1);
    expect((await test('echo "$not_there"')).code).not.toBe(0);
    expect(await readdir(source)).toEqual(["a"]);
  });

  it("runs a file of the repository in a folder of it", async () => {
    await mkdir(path.join(source, "app/ci"), { recursive: true });
    await writeFile(path.join(source, "app/ci/test.sh"), "#!/bin/sh\npwd\n", { mode: 0o755 });
    expect((await test("./ci/test.sh", "app")).output.trim()).toMatch(/\/app$/);
  });

  it("takes nothing in the script for its own end", async () => {
    expect(await test(`printf '%s' "'; exit 3; '\\"$(printf done)"`)).toMatchObject({
      code: 0,
      output: "'; exit 3; '\"done",
    });
  });
});

describe("build-image", () => {
  const check = (params: StepInput["params"]) => runStep({ task: "build-image", step: "check", params });

  it("names the image before it is built", async () => {
    const params = {
      image: "registry.example.com:5000/shop/checkout:1.4.2",
      "build-args": ["--build-arg=A=b c; $(d)"],
    };
    expect(await check(params)).toEqual({ code: 0, output: "", results: { IMAGE_URL: params.image } });
  });

  it("names no image that is not pushed", async () => {
    expect(await check({ image: "a.example.com/b:1", "no-push": "true" })).toMatchObject({
      code: 0,
      results: { IMAGE_URL: "" },
    });
  });

  it.each([
    ["an image without a tag", { image: "registry.example.com:5000/shop/checkout" }],
    ["an image with a digest", { image: `a.example.com/b:1@sha256:${"a".repeat(64)}` }],
    ["an image with a blank", { image: "a.example.com/b:1 --insecure" }],
    [
      "a flag among build arguments",
      { image: "a.example.com/b:1", "build-args": ["--destination=evil.example.com/b:1"] },
    ],
    ["a build argument without its flag", { image: "a.example.com/b:1", "build-args": ["A=b"] }],
    ["neither true nor false", { image: "a.example.com/b:1", "no-push": "yes" }],
  ])("refuses %s", async (_what, params) => {
    const { code, output, results } = await check(params);
    expect({ code, output, results }).toMatchObject({ code: 1, output: /^build-image: ./, results: {} });
  });
});

describe("kaniko-warmer", () => {
  const check = (params: StepInput["params"]) => runStep({ task: "kaniko-warmer", step: "check", params });

  it("wants images or a Dockerfile, and nothing else among them", async () => {
    expect((await check({ images: ["--image=a.example.com/b:1"] })).code).toBe(0);
    expect((await check({ dockerfile: "Dockerfile", "build-args": ["--build-arg=A=b"] })).code).toBe(0);
    expect((await check({})).code).toBe(1);
    expect((await check({ images: ["a.example.com/b:1"] })).code).toBe(1);
    expect((await check({ images: ["--cache-dir=/etc"] })).code).toBe(1);
  });
});

describe("prepare-source and report", () => {
  it("finds the Dockerfile, else a Containerfile", async () => {
    const find = (params: StepInput["params"]) =>
      runStep({
        task: "build-and-deliver.yaml prepare-source",
        step: "find",
        params: { context: ".", dockerfile: "Dockerfile", ...params },
        workspaces: { source },
      });
    expect(await find({})).toMatchObject({ code: 1, output: expect.stringContaining("neither Dockerfile") });
    await writeFile(path.join(source, "Containerfile"), "");
    expect((await find({})).results).toEqual({ dockerfile: "Containerfile" });
    await writeFile(path.join(source, "Dockerfile"), "");
    expect((await find({})).results).toEqual({ dockerfile: "Dockerfile" });
    expect((await find({ context: "elsewhere" })).code).not.toBe(0);
  });

  it("reports each Task in a line of its own, whatever stands in it", async () => {
    const params = {
      image: "a:1",
      revision: "abc",
      status: "Failed",
      tasks: ["git-clone=Succeeded", "run-tests=%s; exit 1"],
    };
    const { code, output } = await runStep({ task: "build-and-deliver.yaml report", step: "report", params });
    expect({ code, output }).toEqual({
      code: 0,
      output: "a:1 of abc: Failed\n  git-clone=Succeeded\n  run-tests=%s; exit 1\n",
    });
  });
});
