import { dirname, resolve } from "node:path";
import { type Configuration, DEFAULT_BRANCH, type ListenAddress, type SecretReference } from "./configuration.ts";
import { configurationHash } from "./hash.ts";
import { resolveTargets } from "./resolve-targets.ts";
import type { RawConfiguration } from "./schema.ts";
import { parseListenAddress } from "./values.ts";

type RawRepository = RawConfiguration["repositories"][string];
type RawArgocd = NonNullable<RawConfiguration["argocd"]>[string];

const DEFAULT_LISTEN = { host: "127.0.0.1", port: 8484 };
const DEFAULT_AUTHOR = { name: "gitspan", email: "gitspan@localhost" };

// Forges take any user name with a token; Gitea and GitLab document this one.
const DEFAULT_USERNAME = "oauth2";
const DEFAULT_NAMESPACE = "argocd";

/** Fills in the defaults. The file has passed the schema and the cross checks. */
export function resolveConfiguration(raw: RawConfiguration, file: string): Configuration {
  const from = (path: string): string => resolve(dirname(file), path);
  const apps = Object.entries(raw.apps ?? {}).map(([name, { from: rule }]) => ({
    name,
    from: rule && { repository: rule.repository, branches: rule.branches ?? [], tags: rule.tags ?? [] },
  }));
  const configuration = {
    file,
    listen: listenOf(raw.listen) ?? DEFAULT_LISTEN,
    metricsListen: listenOf(raw.metricsListen),
    database: databaseOf(raw.database, from),
    repositories: mapOf(raw.repositories, (name, repository) => repositoryOf(name, repository, from)),
    argocd: mapOf(raw.argocd ?? {}, (name, argocd) => argocdOf(name, argocd, from)),
    environments: Object.keys(raw.environments ?? {}),
    apps,
    targets: resolveTargets(raw),
    access: raw.access ?? [],
  };
  return { ...configuration, hash: configurationHash(configuration) };
}

type FromFile = (path: string) => string;

function databaseOf(raw: RawConfiguration["database"], from: FromFile): Configuration["database"] {
  if (raw.embedded !== undefined) return { kind: "embedded", directory: from(raw.embedded) };
  return { kind: "external", url: secretOf(raw.urlFile, raw.urlEnv, from) };
}

function repositoryOf(name: string, raw: RawRepository, from: FromFile) {
  const { url, branch = DEFAULT_BRANCH, auth, caFile, author = DEFAULT_AUTHOR } = raw;
  return {
    name,
    url,
    branch,
    author,
    auth: auth && {
      username: auth.username ?? DEFAULT_USERNAME,
      token: secretOf(auth.tokenFile, auth.tokenEnv, from),
    },
    caFile: caFile === undefined ? undefined : from(caFile),
  };
}

function argocdOf(name: string, raw: RawArgocd, from: FromFile) {
  const { kubernetes, server, caFile, namespaces = [DEFAULT_NAMESPACE], refreshByAnnotation = false } = raw;
  return {
    name,
    kubernetes: kubernetes === undefined ? undefined : kubernetesOf(kubernetes, from),
    server: server === undefined ? undefined : { url: server, token: secretOf(raw.tokenFile, raw.tokenEnv, from) },
    caFile: caFile === undefined ? undefined : from(caFile),
    namespaces,
    refreshByAnnotation,
  };
}

function kubernetesOf(raw: NonNullable<RawArgocd["kubernetes"]>, from: FromFile) {
  if (raw === "in-cluster") return { kind: "in-cluster" } as const;
  return { kind: "kubeconfig", file: from(raw.kubeconfigFile), context: raw.context } as const;
}

function secretOf(file: string | undefined, env: string | undefined, from: FromFile): SecretReference {
  return file === undefined ? { env: env ?? "" } : { file: from(file) };
}

function listenOf(text: string | undefined): ListenAddress | undefined {
  return text === undefined ? undefined : parseListenAddress(text);
}

function mapOf<T, R>(raw: Record<string, T>, make: (name: string, value: T) => R): ReadonlyMap<string, R> {
  return new Map(Object.entries(raw).map(([name, value]) => [name, make(name, value)]));
}
