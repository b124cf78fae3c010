/** Inside the cluster's network: profiles up, then the suites, one after another. */
import { mkdirSync } from "node:fs";
import { vitest } from "../tools/run.ts";
import { withLock } from "./cluster/lock.ts";
import { stateFile } from "./cluster/places.ts";
import { withNeeds } from "./cluster/profiles.ts";
import { duration, say } from "./cluster/talk.ts";
import { up } from "./cluster/up.ts";
import type { Options } from "./options.ts";
import { suites } from "./suites.ts";

/** True when all tests passed. With E2E_KUBECONFIG nothing is started: the cluster is somebody's. */
export async function runInside({ runs, profiles }: Options): Promise<boolean> {
  const own = process.env.E2E_KUBECONFIG === undefined;
  if (!own) return await runSuites({ runs, profiles }, own);
  mkdirSync(stateFile(), { recursive: true });
  // One bridge address, and tests that stop controllers: two runs at once would break each other.
  return await withLock(stateFile("run.lock"), "another run of the tests", () => runSuites({ runs, profiles }, own));
}

async function runSuites({ runs, profiles }: Pick<Options, "runs" | "profiles">, own: boolean): Promise<boolean> {
  if (own && profiles.length > 0) await up(withNeeds(profiles));
  const results: boolean[] = [];
  for (const { suite, files } of runs) {
    if (own) await up(withNeeds(suites[suite] ?? []));
    const begin = Date.now();
    results.push(vitest(`e2e-${suite}`, ["e2e"], ["--no-file-parallelism", ...files]));
    say(`${suite}: ${duration(begin)}`);
  }
  return results.every(Boolean);
}
