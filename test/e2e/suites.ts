/** Runs only when asked for, as it rewrites files. */
export const RECORDING = "record";

/** The folders with tests, and the profiles that each needs. Their order is the order in which they run. */
import type { Profile } from "./cluster/profiles.ts";

export const suites: Readonly<Record<string, readonly Profile[]>> = {
  git: ["gitea"],
  delivery: ["argocd", "tekton"],
  argocd: ["argocd"],
  tekton: ["argocd", "tekton"],
  chains: ["argocd", "chains"],
  results: ["argocd", "results"],
  [RECORDING]: ["argocd", "tekton"],
};
