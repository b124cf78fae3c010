import { createHash } from "node:crypto";
import type { AnnotatedTarget } from "../model/annotated.ts";
import type { Configuration } from "./configuration.ts";

type Hashed = Pick<
  Configuration,
  | "repositories"
  | "argocd"
  | "tekton"
  | "oidc"
  | "registries"
  | "environments"
  | "apps"
  | "targets"
  | "pattern"
  | "annotated"
  | "access"
>;

/** The same for files that mean the same, however they are written and in whatever order things are named. */
export function configurationHash(configuration: Hashed): string {
  const { repositories, argocd, tekton, oidc, registries, environments, apps, targets, pattern, annotated, access } =
    configuration;
  const content = {
    repositories,
    argocd,
    tekton,
    registries,
    oidc,
    environments: environments.toSorted(),
    apps: Object.fromEntries(apps.map((app) => [app.name, app])),
    targets: Object.fromEntries(targets.map((target) => [target.id, target])),
    pattern,
    // Absent as it was before there were any: the hash of other files stays the same.
    ...(annotated.length === 0 ? {} : { annotated }),
    access,
  };
  return hashOf(content);
}

/** The same with the targets that annotated Applications make at the moment. */
export function hashWith(hash: string, annotated: readonly AnnotatedTarget[]): string {
  if (annotated.length === 0) return hash;
  return hashOf({ hash, targets: Object.fromEntries(annotated.map((one) => [one.target.id, one])) });
}

function hashOf(content: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(content)))
    .digest("hex");
}

/** Maps as objects with their keys sorted. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value instanceof Map) return canonical(Object.fromEntries(value));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}
