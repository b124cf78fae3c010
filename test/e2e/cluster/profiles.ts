/** The parts of a cluster that can be asked for, and what each needs. */
import { type Component, component } from "./components.ts";

export const PROFILES = ["core", "gitea", "argocd", "tekton", "chains", "postgres", "results"] as const;
export type Profile = (typeof PROFILES)[number];

const needs: Readonly<Record<Profile, readonly Profile[]>> = {
  core: [],
  gitea: ["core"],
  argocd: ["core", "gitea"],
  tekton: ["core"],
  chains: ["tekton"],
  postgres: ["core"],
  results: ["tekton", "postgres"],
};

const programs: Readonly<Record<Profile, readonly string[]>> = {
  core: ["registry", "etcd", "kubernetes"],
  gitea: ["gitea"],
  argocd: ["argocd", "helm"],
  tekton: ["pipeline", "triggers", "triggers-tools", "kaniko", "kaniko-warmer"],
  chains: ["chains", "cosign"],
  postgres: [],
  results: ["results"],
};

export function isProfile(name: string): name is Profile {
  return PROFILES.some((profile) => profile === name);
}

/** With everything they need, what is needed first. */
export function withNeeds(wanted: readonly Profile[]): Profile[] {
  const all = new Set<Profile>();
  const add = (profile: Profile) => {
    for (const needed of needs[profile]) add(needed);
    all.add(profile);
  };
  for (const profile of wanted) add(profile);
  return PROFILES.filter((profile) => all.has(profile));
}

export function componentsOf(profiles: readonly Profile[]): Component[] {
  return profiles.flatMap((profile) => programs[profile]).map(component);
}
