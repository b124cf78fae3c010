import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository, type RemoteRepository } from "../../src/git/repository.ts";
import { planOf } from "../contracts/git-repository.ts";
import { runGit } from "../fakes/bare-repository.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";

const { signal } = new AbortController();

const WHO = ["-c", "user.name=o", "-c", "user.email=o@example.com"];

describe("repositories of unusual shape", () => {
  let server: GitServer;
  let git: RemoteRepository;
  beforeEach(async () => {
    server = await startGitServer();
    git = openRemoteRepository({ ambient: systemAmbient }, { url: server.url("gitops") });
  });
  afterEach(async () => {
    git.close();
    await server.close();
  });

  it("reads and writes in a directory of 100,000 files", async () => {
    const name = (file: number): string => `flat/app-${String(file).padStart(6, "0")}.yaml`;
    const start = await server.createRepository("gitops", { "a.yaml": "newTag: 1.0\n" });
    const blob = (await server.git("gitops", "rev-parse", "main:a.yaml")).trim();
    // Made with mktree: fast-import takes half a minute for so many entries.
    const flat = Array.from({ length: 100_000 }, (_, file) => `100644 blob ${blob}\t${name(file).slice(5)}\n`);
    const mktree = async (input: string): Promise<string> =>
      (await runGit(["mktree"], { cwd: server.dir("gitops"), input })).toString().trim();
    const root = await mktree(`040000 tree ${await mktree(flat.join(""))}\tflat\n`);
    const commit = (await server.git("gitops", ...WHO, "commit-tree", "-p", start, "-m", "flat", root)).trim();
    await server.git("gitops", "update-ref", "refs/heads/main", commit);
    const tip = await git.tip("main", signal);
    const paths = [name(0), name(50_000), name(99_999), "flat/app-1.yaml"];
    expect([...(await git.readFiles(tip, paths, signal)).keys()]).toEqual(paths.slice(0, 3));
    server.resetStats();
    const files = { [name(50_000)]: "newTag: 2.0\n", "flat/app-050000b.yaml": "new\n", "flat/zz.yaml": "last\n" };
    const prepared = await git.prepare("main", tip, [planOf(files)], signal);
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
    expect(server.stats().requests).toBe(1);
    expect(await server.show("gitops", "main", name(50_000))).toBe("newTag: 2.0\n");
    expect(await server.git("gitops", "diff", "--stat", `${tip}..main`)).toContain("3 files changed");
    expect(await git.changedPaths(tip, prepared.head, paths, signal)).toEqual([name(50_000)]);
    await server.fsck("gitops");
  });

  it("reads and writes 60 directories deep, one request for each level", async () => {
    const deep = `${Array.from({ length: 60 }, (_, level) => `d${level}`).join("/")}/values.yaml`;
    await server.createRepository("gitops", { [deep]: "a\n" });
    const tip = await git.tip("main", signal);
    expect((await git.readFiles(tip, [deep], signal)).size).toBe(1);
    // The commit, the root and 60 directories below it, the file.
    expect(server.stats().kinds.fetch).toBe(63);
    const prepared = await git.prepare("main", tip, [planOf({ [deep]: "b\n" })], signal);
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
    expect(await server.show("gitops", "main", deep)).toBe("b\n");
    await server.fsck("gitops");
  });

  it("leaves the old mode 100664, empty files and names in any bytes as they are", async () => {
    await server.createRepository("gitops", { "plain.yaml": "a\n" });
    const blob = (await server.git("gitops", "rev-parse", "main:plain.yaml")).trim();
    const names = ["caf\\303\\251.yaml", "latin\\351.yaml", "tab\\there.yaml"];
    const odd = names.map((name) => `M 100644 ${blob} "dir/${name}"\n`).join("");
    const head = "commit refs/heads/main\ncommitter A <a@example.com> 1700100000 +0000\ndata 2\nc\nfrom main^0\n";
    const run = `M 100755 inline dir/run\ndata 0\n\nM 120000 inline dir/link\ndata 1\nx\n`;
    await server.importStream("gitops", `${head}M 100644 ${blob} dir/values.yaml\n${run}${odd}\n`);
    const before = await server.git("gitops", "ls-tree", "-z", "main:dir");
    const tip = await git.tip("main", signal);
    const files = { "dir/values.yaml": "b\n", "dir/run": "#!/bin/sh\n" };
    expect(await git.push(await git.prepare("main", tip, [planOf(files)], signal), signal)).toEqual({ kind: "landed" });
    const after = await server.git("gitops", "ls-tree", "-z", "main:dir");
    const untouched = (listing: string): string[] =>
      listing.split("\0").filter((line) => !/\t(values\.yaml|run)$/.test(line));
    expect(untouched(after)).toEqual(untouched(before));
    expect(after).toMatch(/100755 blob [0-9a-f]{40}\trun\0/);
    await server.fsck("gitops");
  });

  it("writes beside an entry of the mode 100664, and keeps it", async () => {
    await server.createRepository("gitops", { "a.yaml": "a\n", "b.yaml": "b\n" });
    // No git writes this mode any more, so the tree is made by hand.
    const tree = Buffer.from(await server.git("gitops", "ls-tree", "main"));
    const [a = "", b = ""] = [...tree.toString().matchAll(/blob ([0-9a-f]{40})/g)].map(([, oid]) => oid);
    const raw = Buffer.concat([
      Buffer.from("100664 a.yaml\0"),
      Buffer.from(a, "hex"),
      Buffer.from("100644 b.yaml\0"),
      Buffer.from(b, "hex"),
    ]);
    const write = ["hash-object", "-t", "tree", "-w", "--stdin"];
    const oid = (await runGit(write, { cwd: server.dir("gitops"), input: raw })).toString().trim();
    const commit = (await server.git("gitops", ...WHO, "commit-tree", "-m", "old", oid)).trim();
    await server.git("gitops", "update-ref", "refs/heads/main", commit);
    const prepared = await git.prepare("main", commit, [planOf({ "a.yaml": "2\n" })], signal);
    expect(await git.push(prepared, signal)).toEqual({ kind: "landed" });
    expect(await server.git("gitops", "cat-file", "tree", "main^{tree}")).toMatch(/^100664 a\.yaml\0/);
  });
});
