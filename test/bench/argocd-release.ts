/** The bridge as the image runs it: what the system counts for its process, beside what Node alone takes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { step } from "../tools/run.ts";

const READY_MS = 120_000;

interface Runtime {
  flags: string[];
  env: Record<string, string>;
}

/** Resident memory in MB; waits until all Applications are listed. */
export async function memoryOfRelease(
  folder: string,
  kubeconfigFile: string,
): Promise<{ bridge: number; floor: number }> {
  if (!step("build of gitspan", process.execPath, ["test/tools/build.ts"])) throw new Error("gitspan was not built");
  // Run by root, PostgreSQL works as another user, who has to get to its data.
  await chmod(folder, 0o711);
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database: { embedded: join(folder, "data") },
    repositories: { gitops: { url: "http://127.0.0.1:9/gitops.git" } },
    argocd: { main: { kubernetes: { kubeconfigFile } } },
  };
  const file = join(folder, "gitspan.yaml");
  await writeFile(file, stringify(configuration));
  const runtime = await runtimeOfImage();
  const bridge = await measured(runtime, ["dist/main.js", "serve", "--config", file], async (output) => {
    const address = /listens on (\S+)/.exec(output)?.[1];
    return address !== undefined && (await fetch(`${address}/readyz`)).ok;
  });
  const alone = "console.log('started'); setInterval(() => {}, 1000);";
  const floor = await measured(runtime, ["-e", alone], async (output) => output.includes("started"));
  return { bridge, floor };
}

/** How the image runs Node, so that the figure is that of the image. */
async function runtimeOfImage(): Promise<Runtime> {
  const text = await readFile("Dockerfile", "utf8");
  const [, entry = "[]"] = /^ENTRYPOINT (\[.*main\.js"\])$/m.exec(text) ?? [];
  const [, arenas] = /\bMALLOC_ARENA_MAX=(\d+)/.exec(text.replace(/^#.*$/gm, "")) ?? [];
  return {
    flags: (JSON.parse(entry) as string[]).filter((word) => word.startsWith("--")),
    env: arenas === undefined ? {} : { MALLOC_ARENA_MAX: arenas },
  };
}

async function measured(
  { flags, env }: Runtime,
  args: readonly string[],
  isReady: (output: string) => Promise<boolean>,
): Promise<number> {
  const child = spawn(process.execPath, [...flags, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  try {
    const until = performance.now() + READY_MS;
    while (!(await isReady(output))) {
      if (child.exitCode !== null || performance.now() > until) throw new Error(`it did not get ready: ${output}`);
      await delay(200);
    }
    return await residentMB(child);
  } finally {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }
}

async function residentMB({ pid }: ChildProcess): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return (Number(kib) * 1024) / 1e6;
}
