import { toSnapshot } from "../../src/argocd/snapshot.ts";
import type { AnnotatedRule, AnnotationRules } from "../../src/model/annotated.ts";
import type { ApplicationSnapshot } from "../../src/model/application.ts";

export const GITOPS_URL = "https://git.example.com/platform/gitops.git";
export const SHOP = "registry.example.com/shop";

const policy = { settleMs: 1, degradedMs: 1, timeoutMs: 1, expireAfterMs: 1 };

export function aRule(words: Partial<AnnotatedRule> & { in?: string[] } = {}): AnnotatedRule {
  const { in: names = ["dev"], ...rest } = words;
  return {
    projects: ["team-a"],
    environments: names.map((name) => ({ name, policy })),
    repositories: ["gitops"],
    paths: ["apps/*"],
    from: { repository: "https://git.example.com/shop/*", branches: [], tags: [] },
    ...rest,
  };
}

export function rulesOf(words: Partial<AnnotationRules> = {}): AnnotationRules {
  const repositories = [{ name: "gitops", url: GITOPS_URL, branch: "main" }];
  return { rules: [aRule()], clusters: ["main"], repositories, targets: [], ...words };
}

export interface ApplicationWords {
  name?: string;
  project?: string;
  images?: string;
  app?: string;
  environment?: string;
  /** Of its only source. */
  source?: Record<string, unknown>;
  sources?: Record<string, unknown>[];
}

/** An annotated Application as Argo CD shows it: `web` in `apps/web`, unless the test says otherwise. */
export function anApplication(words: ApplicationWords = {}): ApplicationSnapshot {
  const { name = "web", project = "team-a", images = `web=${SHOP}/web`, app, environment, source, sources } = words;
  return toSnapshot("main", {
    metadata: {
      namespace: "argocd",
      name,
      annotations: {
        "gitspan.dev/images": images,
        ...(app === undefined ? {} : { "gitspan.dev/app": app }),
        ...(environment === undefined ? {} : { "gitspan.dev/environment": environment }),
      },
    },
    spec: {
      project,
      ...(sources === undefined
        ? { source: { repoURL: GITOPS_URL, path: `apps/${name}`, targetRevision: "main", ...source } }
        : { sources }),
    },
  });
}
