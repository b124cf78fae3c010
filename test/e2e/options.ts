/** What `npm run e2e` was asked to do. */
import { existsSync } from "node:fs";
import path from "node:path";
import { isProfile, type Profile } from "./cluster/profiles.ts";
import { RECORDING, suites } from "./suites.ts";

export const USAGE = `npm run e2e -- [SUITE|PROFILE|FILE...] [--install] [--record] [--ci]
  SUITE     ${Object.keys(suites).join(", ")}; by default all but ${RECORDING}
  PROFILE   without tests of its own: only started
  FILE      a test file
  --install installs missing Debian packages (as root)
  --record  writes test/golden/e2e anew: real events, runs, statuses and answers that fast tests replay
  --ci      for .ci/run: from a wiped cluster, wiped again at the end; only with what has been built before`;

export interface Options {
  /** What to run, suite by suite; `files` limits it. */
  runs: { suite: string; files: string[] }[];
  /** Only to be started. */
  profiles: Profile[];
  install: boolean;
  ci: boolean;
}

/** Throws with what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const unknown = flags.find((flag) => !["--install", "--record", "--ci"].includes(flag));
  if (unknown !== undefined) throw new Error(`There is no option ${unknown}.\n${USAGE}`);
  const names = args.filter((arg) => !arg.startsWith("--"));
  const profiles = names.filter((name) => !(name in suites)).filter(isProfile);
  const files = names.filter((name) => !(name in suites) && !isProfile(name));
  const chosen = flags.includes("--record") ? [RECORDING] : names.filter((name) => name in suites);
  const all = Object.keys(suites).filter((suite) => suite !== RECORDING);
  const runs = (names.length === 0 && chosen.length === 0 ? all : chosen).map((suite) => ({
    suite,
    files: [`test/e2e/${suite}/`],
  }));
  for (const file of files) runs.push({ suite: suiteOf(file), files: [file] });
  return {
    runs,
    profiles,
    install: flags.includes("--install"),
    ci: flags.includes("--ci"),
  };
}

function suiteOf(file: string): string {
  const suite = path.basename(path.dirname(path.resolve(file)));
  if (!existsSync(file) || !(suite in suites))
    throw new Error(`${file} is no suite, no profile and no test file.\n${USAGE}`);
  return suite;
}
