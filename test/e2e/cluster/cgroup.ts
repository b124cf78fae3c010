/** The cluster's own cgroup, in every hierarchy of version 1 or in the one of version 2. Whatever runs in it belongs to the cluster. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { places } from "./places.ts";

const ROOT = "/sys/fs/cgroup";

function folders(): string[] {
  if (existsSync(path.join(ROOT, "cgroup.controllers"))) return [path.join(ROOT, places.name)];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(ROOT, entry.name, places.name));
}

export function createCgroup(): void {
  for (const folder of folders()) {
    mkdirSync(folder, { recursive: true });
    const above = path.dirname(folder);
    if (existsSync(path.join(above, "cgroup.controllers"))) enableControllers(above);
    // A new cpuset of version 1 has neither processors nor memory, and nothing may run in it.
    for (const setting of ["cpuset.cpus", "cpuset.mems"]) {
      const [from, to] = [path.join(above, setting), path.join(folder, setting)];
      if (existsSync(to) && readFileSync(to, "utf8").trim() === "") writeFileSync(to, readFileSync(from));
    }
  }
}

function enableControllers(folder: string): void {
  const all = readFileSync(path.join(folder, "cgroup.controllers"), "utf8").trim().split(" ");
  const wanted = all.filter(Boolean).map((controller) => `+${controller}`);
  if (wanted.length > 0) writeFileSync(path.join(folder, "cgroup.subtree_control"), wanted.join(" "));
}

/** Kills what still runs in it. */
export function killCgroup(): void {
  for (const pid of new Set(folders().flatMap(processes))) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

export function deleteCgroup(): void {
  for (const folder of folders()) for (const one of [...below(folder), folder]) if (existsSync(one)) rmdirSync(one);
}

export function isCgroupThere(): boolean {
  return folders().some((folder) => existsSync(folder));
}

function processes(folder: string): number[] {
  return [folder, ...below(folder)]
    .map((one) => path.join(one, "cgroup.procs"))
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number));
}

/** Deepest first. */
function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const one = path.join(folder, entry.name);
    return entry.isDirectory() ? [...below(one), one] : [];
  });
}
