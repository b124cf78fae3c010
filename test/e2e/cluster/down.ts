/** Stops what was started here, and with `wipe` removes what it left: state, mounts, cgroups, the namespace. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { deleteCgroup, isCgroupThere, killCgroup } from "./cgroup.ts";
import { deleteNamespace, hasNamespace } from "./namespace.ts";
import { CONTAINERD_SOCKET, stopNode } from "./parts/node.ts";
import { places } from "./places.ts";
import { recorded, step, stop } from "./supervisor.ts";

const LAST = ["kube-apiserver", "etcd", "registry"];
const NODE = ["kubelet", "containerd"];
const CGROUP_PATIENCE_MS = 10_000;

/** Throws with what is left when a wipe leaves anything. */
export async function down(wipe: boolean): Promise<void> {
  const others = recorded().filter((name) => ![...LAST, ...NODE].includes(name));
  await step("controllers stopped", async () => void (await Promise.all(others.map(stop))));
  await step("node stopped", stopNode);
  await step("control plane stopped", async () => {
    for (const name of LAST) await stop(name);
  });
  if (wipe) await step("wiped", wipeAll);
}

async function wipeAll(): Promise<void> {
  // Where containerd itself was killed, its shims and Pods live on.
  killShims();
  killCgroup();
  for (const mount of mounts()) execFileSync("umount", ["--lazy", mount]);
  await retry(deleteCgroup);
  for (const folder of [places.state, places.run]) rmSync(folder, { recursive: true, force: true });
  deleteNamespace();
  const left = [
    ...mounts().map((mount) => `mount ${mount}`),
    ...(isCgroupThere() ? ["the cgroup"] : []),
    ...(hasNamespace() ? ["the network namespace"] : []),
    ...[places.state, places.run].filter((folder) => existsSync(folder)),
  ];
  if (left.length > 0) throw new Error(`Left behind: ${left.join(", ")}`);
}

/** Deepest first. */
function mounts(): string[] {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((target) => [places.state, places.run].some((folder) => target.startsWith(`${folder}/`)))
    .toSorted()
    .toReversed();
}

/** A shim names the socket of its containerd, and that is ours alone. */
function killShims(): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (args[0]?.includes("containerd-shim") === true && args.includes(CONTAINERD_SOCKET))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** Processes that were just killed keep their cgroup for a moment. */
async function retry(action: () => void): Promise<void> {
  for (const end = Date.now() + CGROUP_PATIENCE_MS; ; ) {
    try {
      action();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  }
}
