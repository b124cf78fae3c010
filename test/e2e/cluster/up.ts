/** Starts what is down. Every part can be asked to start again and again. */
import { mkdirSync } from "node:fs";
import { startArgoCd } from "./parts/argocd.ts";
import { startChains } from "./parts/chains.ts";
import { startControlPlane } from "./parts/control-plane.ts";
import { startGitea } from "./parts/gitea.ts";
import { startNode } from "./parts/node.ts";
import { startPostgres } from "./parts/postgres.ts";
import { startRegistry } from "./parts/registry.ts";
import { startResults } from "./parts/results.ts";
import { startTekton } from "./parts/tekton.ts";
import { startTriggers } from "./parts/triggers.ts";
import { places } from "./places.ts";
import type { Profile } from "./profiles.ts";
import { duration, say } from "./talk.ts";

const parts: Readonly<Record<Profile, readonly (() => Promise<void>)[]>> = {
  core: [startControlPlane, startRegistry, startNode],
  gitea: [startGitea],
  argocd: [startArgoCd],
  tekton: [startTekton, startTriggers],
  chains: [startChains],
  postgres: [startPostgres],
  results: [startResults],
};

/** `profiles` in the order in which they need each other. Must run inside the namespace. */
export async function up(profiles: readonly Profile[]): Promise<void> {
  const begin = Date.now();
  mkdirSync(places.state, { recursive: true });
  for (const profile of profiles) for (const startPart of parts[profile]) await startPart();
  say(`${profiles.join(", ")} up: ${duration(begin)}`);
}
