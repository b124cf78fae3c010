/** One cold bump in a process of its own, for its memory: `node git-process.ts engine|isomorphic-git|nothing URL APP`. */
import * as fs from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bump, bumped, openEngine, tipOf } from "./git-bump.ts";
import { overlayOf } from "./monorepo.ts";

const [way = "", url = "", app = "0"] = process.argv.slice(2);

async function withEngine(): Promise<void> {
  const git = openEngine(url);
  await bump(git, await tipOf(git), [Number(app)]);
  git.close();
}

/** As its documentation shows it: clone, edit, add, commit, push. */
async function withIsomorphicGit(): Promise<void> {
  const git = await import("isomorphic-git");
  const { default: http } = await import("isomorphic-git/http/node");
  const dir = await mkdtemp(join(tmpdir(), "gitspan-bench-"));
  const path = overlayOf(Number(app));
  await git.clone({ fs, http, dir, url, ref: "main", singleBranch: true, depth: 1 });
  const text = await readFile(join(dir, path), "utf8");
  await writeFile(join(dir, path), bumped(text, `3.0.${process.pid}`));
  await git.add({ fs, dir, filepath: path });
  await git.commit({ fs, dir, message: "deploy", author: { name: "peer", email: "peer@example.com" } });
  const result = await git.push({ fs, http, dir, url, ref: "main" });
  await rm(dir, { recursive: true, force: true });
  if (!result.ok) throw new Error(JSON.stringify(result));
}

const start = performance.now();
if (way === "engine") await withEngine();
if (way === "isomorphic-git") await withIsomorphicGit();
const ms = performance.now() - start;
// Not getrusage(2): its maxRSS counts what the parent held when it forked.
const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ ms, rssMiB: Math.round(Number(peakKiB) / 1024) }));
