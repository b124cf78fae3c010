/** The same bump as other tools make it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { runGit } from "../fakes/bare-repository.ts";
import type { GitServer } from "../fakes/git-http-server.ts";
import { bumped } from "./git-bump.ts";
import type { Measure } from "./git-row.ts";
import { overlayOf } from "./monorepo.ts";

const RUNS = 3;
const APP = 11;
let serial = 0;

export async function benchPeers(server: GitServer, measure: Measure): Promise<void> {
  await benchGitProgram(server, measure, "git, depth 1", async (dir) => {
    await runGit(["clone", "--quiet", "--depth=1", server.url("mono"), dir]);
  });
  await benchGitProgram(server, measure, "git, partial and sparse", async (dir) => {
    const shape = ["--depth=1", "--filter=blob:none", "--sparse", "--no-checkout"];
    await runGit(["clone", "--quiet", ...shape, server.url("mono"), dir]);
    await runGit(["sparse-checkout", "set", dirname(overlayOf(APP))], { cwd: dir });
    await runGit(["checkout", "--quiet", "main"], { cwd: dir });
  });
  await benchProcesses(server, measure, ["isomorphic-git"]);
}

/** One cold bump each in a process of its own, which tells how much memory it takes; `nothing` is Node alone. */
export async function benchProcesses(server: GitServer, measure: Measure, ways: readonly string[]): Promise<void> {
  for (const way of ways) {
    await measure(`own process: ${way}, one bump, cold`, { runs: 1 }, async () => ownProcess(way, server.url("mono")));
  }
}

async function benchGitProgram(
  server: GitServer,
  measure: Measure,
  name: string,
  clone: (dir: string) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "gitspan-bench-"));
  const dirs: string[] = [];
  try {
    await measure(`${name}, one bump, cold`, { runs: RUNS }, async () => {
      const dir = join(root, `${dirs.length}`);
      dirs.push(dir);
      await clone(dir);
      await bumpIn(dir);
    });
    const last = dirs.at(-1) ?? "";
    await measure(`${name}, one bump, warm`, { runs: RUNS }, () => bumpIn(last));
    await server.fsck("mono");
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function bumpIn(dir: string): Promise<void> {
  const file = join(dir, overlayOf(APP));
  await writeFile(file, bumped(await readFile(file, "utf8"), `4.0.${serial++}`));
  const who = ["-c", "user.name=peer", "-c", "user.email=peer@example.com"];
  await runGit([...who, "commit", "--quiet", "--all", "--message=deploy"], { cwd: dir });
  await runGit(["push", "--quiet", "origin", "HEAD:main"], { cwd: dir });
}

async function ownProcess(way: string, url: string): Promise<{ ms: number; rssMiB: number }> {
  const script = new URL("./git-process.ts", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [script, way, url, String(APP)]);
  const { ms, rssMiB } = JSON.parse(stdout) as { ms: number; rssMiB: number };
  return { ms: Math.round(ms * 10) / 10, rssMiB };
}
