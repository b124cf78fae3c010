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

const CI_LIMIT = "25m";
/** The exit code of `timeout`. */
const TIMED_OUT = 124;

const args = process.argv.slice(2);
try {
  process.exitCode = (await main(parseOptions(args))) ? 0 : 1;
} catch (error) {
  console.error(`e2e: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(options: Options): Promise<boolean> {
  if (isInside()) return await runInside(options);
  const begin = Date.now();
  if (process.env.E2E_KUBECONFIG !== undefined) return buildGitspan() && (await runInside(options));
  const wanted = [...options.profiles, ...options.runs.flatMap(({ suite }) => suites[suite] ?? [])];
  const components = componentsOf(withNeeds(wanted));
  const missing = components.filter((component) => !isBuilt(component)).map(({ name }) => name);
  if (options.ci && missing.length > 0) {
    say(
      `not run, because ${missing.join(", ")} would have to be built, which takes too long for a check: "npm run e2e" builds all`,
    );
    return true;
  }
  requirePackages(options.install || options.ci);
  await build(components);
  if (!buildGitspan()) return false;
  if (options.ci) await down(true);
  createNamespace();
  const inside = enter([process.execPath, import.meta.filename, ...args]);
  // It ends the whole process group, the tests included.
  const limited = options.ci ? ["timeout", "--kill-after=20", CI_LIMIT, ...inside] : inside;
  const { status } = spawnSync(limited[0] ?? "", limited.slice(1), { stdio: "inherit" });
  if (status === TIMED_OUT) say(`stopped after ${CI_LIMIT}`);
  if (options.ci) await down(true);
  say(`in all ${duration(begin)}`);
  return status === 0;
}

/** The bridge is tested as it is released. */
function buildGitspan(): boolean {
  return runStep("build of gitspan", process.execPath, ["test/tools/build.ts"]);
}
