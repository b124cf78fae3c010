import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** Runs one step in the foreground; true when it exited with 0. */
export function step(name: string, command: string, args: readonly string[]): boolean {
  process.stdout.write(`\n> ${name}\n`);
  const { status } = spawnSync(command, args, { stdio: "inherit", env: process.env });
  if (status !== 0) process.stdout.write(`${name} failed (exit ${status ?? "by signal"})\n`);
  return status === 0;
}

/** Runs vitest projects and keeps the counts in `.cache/totals/<name>.json` for `.ci/run`. */
export function vitest(name: string, projects: readonly string[], more: readonly string[] = []): boolean {
  const outputFile = `.cache/totals/${name}.json`;
  // Tests start hundreds of processes of ours, half of whose time is spent on compiling the same modules. Not set for
  // what is measured: the image has nothing like it.
  process.env.NODE_COMPILE_CACHE ??= resolve(".cache/compile");
  return step(name, "vitest", [
    "run",
    ...projects.flatMap((project) => ["--project", project]),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${outputFile}`,
    ...more,
  ]);
}
