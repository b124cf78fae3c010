/**
 * Builds components into the cache, one at a time: two Go builds at once are slower than one on a small machine. An interrupted build
 * goes on where it stopped, as Go keeps what it compiled.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  createWriteStream,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { cacheFolder, componentFolder, isBuilt, moduleFolder } from "./cache.ts";
import type { Component } from "./components.ts";
import { withLock } from "./lock.ts";
import { duration, say, tail } from "./talk.ts";

const PROGRESS_EVERY_MS = 15_000;

/** Builds what is missing. Throws with the end of the build's log. */
export async function build(wanted: readonly Component[]): Promise<void> {
  if (wanted.every(isBuilt)) return;
  needs(
    "go",
    "Go builds the cluster's programs: install it (https://go.dev/dl) or use E2E_KUBECONFIG with a cluster of your own.",
  );
  mkdirSync(cacheFolder(), { recursive: true });
  await withLock(path.join(cacheFolder(), "build.lock"), "another build", async () => {
    for (const [index, component] of wanted.entries()) {
      if (!isBuilt(component)) await buildOne(component, `${index + 1}/${wanted.length} ${component.name}`);
    }
  });
}

async function buildOne(component: Component, title: string): Promise<void> {
  if (component.cgo === true) needs("gcc", `${component.name} needs a C compiler: install the package gcc.`);
  const folder = componentFolder(component);
  const unfinished = `${folder}.unfinished`;
  const log = `${folder}.log`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(path.join(unfinished, "bin"), { recursive: true });
  const start = Date.now();
  await install(component, path.join(unfinished, "bin"), log, title);
  copyAssets(component, path.join(unfinished, "assets"));
  const seconds = Math.round((Date.now() - start) / 1000);
  const bytes = sizeOf(unfinished);
  writeFileSync(path.join(unfinished, "built.json"), `${JSON.stringify({ seconds, bytes })}\n`);
  renameSync(unfinished, folder);
  say(`${title}: built in ${seconds} s, ${Math.round(bytes / 1e6)} MB`);
}

function install(component: Component, bin: string, log: string, title: string): Promise<void> {
  const args = ["install", "-v", "-trimpath", "-ldflags", `-s -w ${component.ldflags ?? ""}`];
  if (component.tags !== undefined) args.push("-tags", component.tags);
  const go = spawn("go", [...args, ...component.packages], {
    cwd: moduleFolder(component),
    env: goEnvironment(component, { GOBIN: bin }),
    stdio: ["ignore", "ignore", "pipe"],
  });
  const start = Date.now();
  const seen = { downloaded: 0, compiled: 0 };
  const out = createWriteStream(log);
  createInterface({ input: go.stderr }).on("line", (line) => {
    seen[line.startsWith("go: downloading") ? "downloaded" : "compiled"] += 1;
    out.write(`${line}\n`);
  });
  const timer = setInterval(
    () => say(`${title}: ${seen.downloaded} modules fetched, ${seen.compiled} packages compiled, ${duration(start)}`),
    PROGRESS_EVERY_MS,
  );
  return new Promise((resolve, reject) => {
    go.on("error", reject);
    go.on("close", (code) => {
      clearInterval(timer);
      out.end(() =>
        code === 0 ? resolve() : reject(new Error(`${title} could not be built. The end of ${log}:\n${tail(log)}`)),
      );
    });
  });
}

/** Upstream files come along, so that a start needs neither Go nor its module cache. */
function copyAssets(component: Component, target: string): void {
  if (component.assets === undefined) return;
  const source = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", component.assets.module], {
    cwd: moduleFolder(component),
    env: goEnvironment(component),
    encoding: "utf8",
  }).trim();
  for (const part of component.assets.paths) {
    cpSync(path.join(source, part), path.join(target, part), { recursive: true, dereference: true });
  }
  // The module cache is read-only; a cache that cannot be deleted helps nobody.
  execFileSync("chmod", ["-R", "u+w", target]);
}

function goEnvironment(component: Component, extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const flags = "-mod=readonly -buildvcs=false";
  return {
    ...process.env,
    CGO_ENABLED: component.cgo === true ? "1" : "0",
    GOFLAGS: flags,
    GOTOOLCHAIN: "auto",
    ...extra,
  };
}

function needs(command: string, otherwise: string): void {
  try {
    execFileSync("which", [command], { stdio: "ignore" });
  } catch {
    throw new Error(`There is no ${command} on this machine. ${otherwise}`);
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
