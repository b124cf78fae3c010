/** The registry, and images made FROM scratch of programs that are here anyway: no image is ever pulled. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { program } from "../cache.ts";
import { addresses, stateFile } from "../places.ts";
import { answers, start, step, waitFor } from "../supervisor.ts";

export interface Image {
  /** Repository and tag, without the registry. */
  name: string;
  /** Fills the folder that becomes the image's only layer (on top of `base`). */
  fill(root: string): void;
  base?: string;
  entrypoint?: readonly string[];
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  workdir?: string;
}

export const BUSYBOX = "base/busybox:e2e";

export function reference(image: string): string {
  return `${addresses.registry}/${image}`;
}

export async function startRegistry(): Promise<void> {
  await step("registry", async () => {
    mkdirSync(stateFile("registry"), { recursive: true });
    start({
      name: "registry",
      command: [program("registry", "registry"), `-address=${addresses.registry}`, `-blobs=${stateFile("registry")}`],
    });
    await waitFor("registry", ["registry"], () => answers(`http://${addresses.registry}/v2/`), 20);
  });
  await step("base images", () => {
    pushMissing({ name: BUSYBOX, fill: fillBusybox, args: ["/bin/sh"], env: { PATH: "/bin:/usr/bin" } });
    pushMissing({ name: "base/pause:e2e", fill: fillBusybox, entrypoint: ["/bin/sleep", "2147483647"] });
  });
}

/** Manifests live in the registry's memory: after its restart they are pushed again, with the same digests. */
export function pushMissing(image: Image): void {
  if (digestOf(image.name) === undefined) push(image);
}

/** Undefined when the registry has no such tag. */
export function digestOf(name: string): string | undefined {
  try {
    return crane("digest", reference(name)).trim();
  } catch {
    return undefined;
  }
}

/** Returns the digest. The same content gives the same digest. */
export function push(image: Image): string {
  const root = mkdtempSync(path.join(tmpdir(), "gitspan-e2e-image-"));
  try {
    const [layer, files] = [path.join(root, "layer.tar"), path.join(root, "files")];
    mkdirSync(files);
    image.fill(files);
    const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    execFileSync("tar", ["-C", files, ...same, "-cf", layer, "."]);
    const base = image.base === undefined ? ["--oci-empty-base"] : ["-b", reference(image.base)];
    crane("append", ...base, "-f", layer, "-t", reference(image.name));
    crane(
      "mutate",
      reference(image.name),
      "--set-platform=linux/amd64",
      "-t",
      reference(image.name),
      ...settings(image),
    );
    return crane("digest", reference(image.name)).trim();
  } finally {
    rmSync(root, { recursive: true });
  }
}

function settings({ entrypoint, args, env, workdir }: Image): string[] {
  return [
    // crane splits at commas: no part of a command may hold one.
    `--entrypoint=${(entrypoint ?? []).join(",")}`,
    `--cmd=${(args ?? []).join(",")}`,
    ...Object.entries(env ?? {}).map(([name, value]) => `--env=${name}=${value}`),
    ...(workdir === undefined ? [] : [`--workdir=${workdir}`]),
  ];
}

function crane(command: string, ...args: string[]): string {
  const file = program("registry", "crane");
  return execFileSync(file, [command, "--insecure", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function fillBusybox(root: string): void {
  for (const folder of ["bin", "etc", "root", "tmp", "var", "usr/bin", "proc", "sys", "dev"]) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  execFileSync("chmod", ["1777", path.join(root, "tmp")]);
  const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((file) => existsSync(file)) ?? "/bin/busybox";
  cpSync(busybox, path.join(root, "bin/busybox"));
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets.filter((one) => one !== "busybox"))
    symlinkSync("busybox", path.join(root, "bin", applet));
  writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(path.join(root, "etc/group"), "root:x:0:\n");
}
