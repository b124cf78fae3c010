import type { Settings } from "../../src/delivery/ports.ts";
import type { BuildReport } from "../../src/model/build.ts";
import type { Target } from "../../src/model/target.ts";
import { aPolicy } from "../trust/policy.ts";

export const BRANCH = "main";
export const REPOSITORY = "gitops";
export const REPOSITORY_URL = "http://git.simulated/platform/gitops.git";
const APPS = ["cart", "checkout", "search"];
const ENVIRONMENTS = ["dev", "prod"];
/** Its registry is configured, and in prod its images must be proven within so many milliseconds. */
export const PROVEN_APP = "cart";
export const PROVEN_REGISTRY = "proven.simulated";
export const PROOF_MS = 60_000;

export function targetsOfSimulation(): Target[] {
  return APPS.flatMap((app) =>
    ENVIRONMENTS.map((environment) => ({
      id: `${app}/${environment}`,
      app,
      environment,
      repository: REPOSITORY,
      branch: BRANCH,
      images: [{ name: app, repository: repositoryOf(app) }],
      places: [{ format: "kustomize" as const, directory: `apps/${app}/${environment}` }],
      applications: undefined,
      policy: {
        settleMs: 3_000,
        degradedMs: 10_000,
        timeoutMs: 600_000,
        expireAfterMs: 86_400_000,
        ...(environment === "prod" ? { rollback: "automatic" as const } : {}),
        ...(app === PROVEN_APP && environment === "prod" ? { trust: aPolicy({ waitMs: PROOF_MS }) } : {}),
        ...(app === "search" ? { onManualRevert: "hold-digest" as const } : {}),
      },
    })),
  );
}

export function appNames(): readonly string[] {
  return APPS;
}

export function repositoryOf(app: string): string {
  return `${app === PROVEN_APP ? PROVEN_REGISTRY : "registry.simulated"}/shop/${app}`;
}

export function kustomizationOf(target: Target, tag: string): string {
  return [
    `# ${target.id}`,
    "resources: [../base]",
    "images:",
    `  - name: ${target.images[0]?.repository} # bumped`,
    `    newTag: "${tag}"`,
    "",
  ].join("\n");
}

/** Everybody may deliver everything: access is not what the simulation is about. */
export function settingsOfSimulation(targets: readonly Target[]): Settings {
  const byId = new Map(targets.map((target) => [target.id, target]));
  const author = { name: "gitspan", email: "gitspan@example.com" };
  return {
    hash: "simulation",
    targets: () => targets,
    target: (id) => byId.get(id),
    undecided: () => undefined,
    refused: () => [],
    repository: (name) => (name === REPOSITORY ? { url: REPOSITORY_URL, author } : undefined),
    match: (report: BuildReport) => ({
      matches: targets.flatMap((target) => {
        const images = report.artifacts.filter((artifact) => artifact.repository === target.images[0]?.repository);
        return images.length === 0 ? [] : [{ target, images }];
      }),
      misses: [],
    }),
    allows: () => true,
  };
}
