/** Programs that Debian packages bring; the rest of the cluster is built from Go modules. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { say } from "./talk.ts";

const packages: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  busybox: "busybox-static",
  ip: "iproute2",
  nsenter: "util-linux",
  openssl: "openssl",
  "redis-server": "redis-server",
  git: "git",
};
/** Debian's packages start their services when installed; ours run in the private namespace only. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Throws with the command to run when something is missing; `install` runs it. */
export function requirePackages(install: boolean): void {
  const missing = [
    ...new Set(
      Object.keys(packages)
        .filter(isMissing)
        .map((command) => packages[command]),
    ),
  ];
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (!install) {
    throw new Error(
      `Missing on this machine: ${missing.join(", ")}. Run "${command}", or add --install to let it be done.`,
    );
  }
  say(`installing ${missing.join(", ")}`);
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore", env });
    execFileSync("sh", ["-c", `${command} >/dev/null`], { stdio: "inherit", env });
  } finally {
    if (ours) rmSync(POLICY);
  }
}

function isMissing(command: string): boolean {
  return spawnSync("which", [command], { stdio: "ignore" }).status !== 0;
}
