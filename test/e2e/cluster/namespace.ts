/** The private network namespace: loopback and a bridge without ports, no way out and no way in. */
import { execFileSync } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { NODE_ADDRESS, places } from "./places.ts";

const handle = `/run/netns/${places.name}`;
const BRIDGE = "e2e0";

export function hasNamespace(): boolean {
  return existsSync(handle);
}

/** `nsenter` and not `ip netns exec`: the latter mounts /sys anew, which hides the cgroups from kubelet and containerd. */
export function enter(command: readonly string[]): [string, ...string[]] {
  return ["nsenter", `--net=${handle}`, "--", ...command];
}

export function isInside(): boolean {
  try {
    return execFileSync("stat", ["-Lc", "%i", handle], { encoding: "utf8", stdio: "pipe" }).trim() === inode();
  } catch {
    return false;
  }
}

function inode(): string | undefined {
  return /\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0];
}

export function createNamespace(): void {
  if (hasNamespace()) return;
  ip("netns", "add", places.name);
  ip("-n", places.name, "link", "set", "lo", "up");
  ip("-n", places.name, "link", "add", BRIDGE, "type", "bridge");
  ip("-n", places.name, "addr", "add", `${NODE_ADDRESS}/24`, "dev", BRIDGE);
  ip("-n", places.name, "link", "set", BRIDGE, "up");
}

export function deleteNamespace(): void {
  if (hasNamespace()) ip("netns", "del", places.name);
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
