/**
 * `npm run e2e`: builds what is missing, starts what is down, runs the tests, and leaves the cluster up for the next run. The second
 * half happens inside the cluster's network namespace, where this program calls itself.
 */
import { spawnSync } from "node:child_process";
import { step as runStep } from "../tools/run.ts";
import { build } from "./cluster/build.ts";
import { isBuilt } from "./cluster/cache.ts";
import { down } from "./cluster/down.ts";
import { createNamespace, enter, isInside } from "./cluster/namespace.ts";
import { requirePackages } from "./cluster/packages.ts";
import { componentsOf, withNeeds } from "./cluster/profiles.ts";
import { duration, say } from "./cluster/talk.ts";
import { type Options, parseOptions } from "./options.ts";
import { runInside } from "./run-suites.ts";
import { suites } from "./suites.ts";

const CI_LIMIT_MS = 25 * 60_000;

const args = process.argv.slice(2);
try {
  process.exitCode = (await main(parseOptions(args))) ? 0 : 1;
} catch (error) {
  console.error(`e2e: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(options: Options): Promise<boolean> {
  if (process.env.E2E_KUBECONFIG !== undefined || isInside()) return await runInside(options);
  const begin = Date.now();
  const components = componentsOf(
    withNeeds([...options.profiles, ...options.runs.flatMap(({ suite }) => suites[suite] ?? [])]),
  );
  const missing = components.filter((component) => !isBuilt(component));
  if (options.ci && missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    say(
      `not run: ${names} of the cluster is not built on this machine, and building takes longer than a check may ("npm run e2e" builds it)`,
    );
    return true;
  }
  requirePackages(options.install || options.ci);
  await build(components);
  if (!runStep("build of gitspan", process.execPath, ["test/tools/build.ts"])) return false;
  if (options.ci) await down(true);
  createNamespace();
  const [command, ...rest] = enter([process.execPath, import.meta.filename, ...args]);
  const inside = spawnSync(command, rest, { stdio: "inherit", ...(options.ci ? { timeout: CI_LIMIT_MS } : {}) });
  if (inside.signal !== null) say(`stopped after ${CI_LIMIT_MS / 60_000} minutes`);
  if (options.ci) await down(true);
  say(`in all ${duration(begin)}`);
  return inside.status === 0;
}
