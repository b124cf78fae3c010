import { dirname, resolve } from "node:path";
import type { AnnotatedRule } from "../model/annotated.ts";
import type { AppRule, SourceRule } from "../model/match.ts";
import { ANY_NAME, type AppPattern } from "../model/pattern.ts";
import type { Target } from "../model/target.ts";
import {
  type Configuration,
  DEFAULT_BRANCH,
  type ListenAddress,
  type OidcConfiguration,
  type SecretReference,
} from "./configuration.ts";
import { configurationHash } from "./hash.ts";
import { accessOf, secretOf } from "./resolve-access.ts";
import { policyOf, resolveTargets } from "./resolve-targets.ts";
import { registryOf, trustByEnvironment } from "./resolve-trust.ts";
import type { RawConfiguration } from "./schema.ts";
import { parseDuration, parseListenAddress } from "./values.ts";

type RawRepository = RawConfiguration["repositories"][string];
type RawAnnotated = NonNullable<RawConfiguration["annotated"]>[number];
type RawArgocd = NonNullable<RawConfiguration["argocd"]>[string];

const DEFAULT_LISTEN = { host: "127.0.0.1", port: 8484 };
const DEFAULT_AUTHOR = { name: "gitspan", email: "gitspan@localhost" };

const DEFAULT_NAMESPACE = "argocd";
const DEFAULT_AUDIENCE = "gitspan";
const DEFAULT_MAX_AGE = "1h";

/** Fills in the defaults. The file has passed the schema and the cross checks, and its apps are expanded. */
export function resolveConfiguration(raw: RawConfiguration, file: string): Configuration {
  const from = (path: string): string => resolve(dirname(file), path);
  const apps = Object.entries(raw.apps ?? {}).map(([name, { from: rule, buildTask }]) => ({
    name,
    ...(buildTask === undefined ? {} : { buildTask }),
    from: rule && ruleOf(rule),
  }));
  const trust = trustByEnvironment(raw, from);
  const targets = resolveTargets(raw, trust);
  const configuration = {
    file,
    listen: listenOf(raw.listen) ?? DEFAULT_LISTEN,
    metricsListen: listenOf(raw.metricsListen),
    database: databaseOf(raw.database, from),
    repositories: mapOf(raw.repositories, (name, repository) => repositoryOf(name, repository, from)),
    argocd: mapOf(raw.argocd ?? {}, (name, argocd) => argocdOf(name, argocd, from)),
    sources: mapOf(raw.sources ?? {}, (_name, access) => accessOf(access, from)),
    tekton: mapOf(raw.tekton ?? {}, (name, tekton) => tektonOf(name, tekton, from)),
    registries: mapOf(raw.registries ?? {}, (host, registry) => registryOf(host, registry, from)),
    oidc: mapOf(raw.oidc ?? {}, (name, oidc) => oidcOf(name, oidc, from)),
    trust,
    environments: Object.keys(raw.environments ?? {}),
    apps: apps.filter(({ name }) => name !== ANY_NAME),
    targets: targets.filter(({ app }) => app !== ANY_NAME),
    pattern: patternOf(
      apps.find(({ name }) => name === ANY_NAME),
      targets.filter(({ app }) => app === ANY_NAME),
    ),
    annotated: (raw.annotated ?? []).map((one) => annotatedOf(raw, one, trust)),
    access: raw.access ?? [],
    signatures: mapOf(raw.signatures ?? {}, (_name, signature) => secretsOf(signature, from)),
    limits: raw.limits ?? {},
    trustedProxies: raw.trustedProxies ?? [],
  };
  return { ...configuration, hash: configurationHash(configuration) };
}

type FromFile = (path: string) => string;

function ruleOf({ repository, branches = [], tags = [] }: RawAnnotated["from"]): SourceRule {
  return { repository, branches, tags };
}

function annotatedOf(raw: RawConfiguration, one: RawAnnotated, trust: Configuration["trust"]): AnnotatedRule {
  const { projects, paths, repositories = Object.keys(raw.repositories) } = one;
  const environments = one.environments.map((name) => ({ name, policy: policyOf(raw, name, {}, trust.get(name)) }));
  return { projects, environments, repositories, paths, from: ruleOf(one.from) };
}

function patternOf(rule: AppRule | undefined, targets: Target[]): AppPattern | undefined {
  return rule && { rule, images: targets[0]?.images ?? [], targets };
}

function databaseOf(raw: RawConfiguration["database"], from: FromFile): Configuration["database"] {
  if (raw.embedded !== undefined) return { kind: "embedded", directory: from(raw.embedded) };
  return { kind: "external", url: secretOf(raw.urlFile, raw.urlEnv, from) };
}

function repositoryOf(name: string, raw: RawRepository, from: FromFile) {
  const { branch = DEFAULT_BRANCH, author = DEFAULT_AUTHOR } = raw;
  const signingKey = raw.signing && { file: from(raw.signing.sshKeyFile) };
  return { name, branch, author, signingKey, ...accessOf(raw, from) };
}

function argocdOf(name: string, raw: RawArgocd, from: FromFile) {
  const { kubernetes, server, caFile, namespaces = [DEFAULT_NAMESPACE], refreshByAnnotation = false } = raw;
  const imageAliases = Object.entries(raw.imageAliases ?? {}).map(([mirror, original]) => ({ mirror, original }));
  return {
    name,
    kubernetes: kubernetes === undefined ? undefined : kubernetesOf(kubernetes, from),
    server: server === undefined ? undefined : { url: server, token: secretOf(raw.tokenFile, raw.tokenEnv, from) },
    caFile: caFile === undefined ? undefined : from(caFile),
    namespaces,
    refreshByAnnotation,
    imageAliases,
  };
}

function tektonOf(name: string, raw: NonNullable<RawConfiguration["tekton"]>[string], from: FromFile) {
  const { kubernetes, namespaces = [], audience = DEFAULT_AUDIENCE, events = {} } = raw;
  const { pathSecretFile, pathSecretEnv, basic } = events;
  const hasPathSecret = pathSecretFile !== undefined || pathSecretEnv !== undefined;
  return {
    name,
    kubernetes: kubernetes === undefined ? undefined : kubernetesOf(kubernetes, from),
    namespaces,
    audience,
    runUrl: raw.runUrl,
    watch: raw.watch && {
      labels: raw.watch.labels ?? {},
      since: raw.watch.since === undefined ? undefined : Date.parse(raw.watch.since),
    },
    results: raw.results && {
      url: raw.results.url,
      token: secretOf(raw.results.tokenFile, raw.results.tokenEnv, from),
      caFile: raw.results.caFile === undefined ? undefined : from(raw.results.caFile),
    },
    pathSecret: hasPathSecret ? secretOf(pathSecretFile, pathSecretEnv, from) : undefined,
    basic: basic && {
      username: basic.username,
      password: secretOf(basic.passwordFile, basic.passwordEnv, from),
    },
  };
}

function oidcOf(name: string, raw: NonNullable<RawConfiguration["oidc"]>[string], from: FromFile): OidcConfiguration {
  const { issuer, audience = DEFAULT_AUDIENCE, algorithms = ["RS256"], subject = "{sub}", source = {} } = raw;
  const fileOf = (file: string | undefined) => (file === undefined ? undefined : from(file));
  return {
    name,
    issuer,
    audience,
    algorithms,
    jwksUri: raw.jwksUri,
    jwksFile: fileOf(raw.jwksFile),
    caFile: fileOf(raw.caFile),
    maxAgeMs: parseDuration(raw.maxAge ?? DEFAULT_MAX_AGE) ?? 0,
    subject,
    source,
  };
}

function kubernetesOf(raw: NonNullable<RawArgocd["kubernetes"]>, from: FromFile) {
  if (raw === "in-cluster") return { kind: "in-cluster" } as const;
  return { kind: "kubeconfig", file: from(raw.kubeconfigFile), context: raw.context } as const;
}

function secretsOf(raw: NonNullable<RawConfiguration["signatures"]>[string], from: FromFile): SecretReference[] {
  const files = (raw.secretFiles ?? []).map((file): SecretReference => ({ file: from(file) }));
  return [...files, ...(raw.secretEnvs ?? []).map((env): SecretReference => ({ env }))];
}

function listenOf(text: string | undefined): ListenAddress | undefined {
  return text === undefined ? undefined : parseListenAddress(text);
}

function mapOf<T, R>(raw: Record<string, T>, make: (name: string, value: T) => R): ReadonlyMap<string, R> {
  return new Map(Object.entries(raw).map(([name, value]) => [name, make(name, value)]));
}
