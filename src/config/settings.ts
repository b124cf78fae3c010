import { type AccessRule, type Caller, isAllowed, type Permission } from "../model/access.ts";
import type { BuildReport } from "../model/build.ts";
import { type BuildMatches, matchBuild } from "../model/match.ts";
import type { Target } from "../model/target.ts";
import type { Configuration, RepositoryConfiguration } from "./configuration.ts";

/** What the application asks a configuration; satisfies its `Settings` port. */
export interface ConfiguredSettings {
  hash: string;
  targets(): readonly Target[];
  target(id: string): Target | undefined;
  repository(name: string): RepositoryConfiguration | undefined;
  match(report: BuildReport): BuildMatches;
  allows(caller: Caller, permission: Permission): boolean;
}

export function settingsOf(configuration: Configuration): ConfiguredSettings {
  const targets = new Map(configuration.targets.map((target) => [target.id, target]));
  const access: readonly AccessRule[] = configuration.access;
  return {
    hash: configuration.hash,
    targets: () => configuration.targets,
    target: (id) => targets.get(id),
    repository: (name) => configuration.repositories.get(name),
    match: (report) => matchBuild(configuration, report),
    allows: (caller, permission) => isAllowed(access, caller, permission),
  };
}
