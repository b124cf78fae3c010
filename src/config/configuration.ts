import type { AccessRule } from "../model/access.ts";
import type { AnnotatedRule } from "../model/annotated.ts";
import type { Identity } from "../model/git.ts";
import type { AppRule } from "../model/match.ts";
import type { AppPattern } from "../model/pattern.ts";
import type { Target } from "../model/target.ts";
import type { TrustPolicy } from "../model/trust.ts";

/** Where a secret is read from, every time it is needed. The configuration never holds the secret itself. */
export type SecretReference = { file: string } | { env: string };

export interface ListenAddress {
  host: string;
  port: number;
}

type DatabaseConfiguration =
  /** The embedded server with this data directory. */
  | { kind: "embedded"; directory: string }
  /** A server of one's own, by connection URL. */
  | { kind: "external"; url: SecretReference };

export type RepositoryAuth =
  | { kind: "basic"; username: string; token: SecretReference }
  | { kind: "bearer"; token: SecretReference }
  /** `knownHostsFile`: the hosts that are trusted, and no others. */
  | { kind: "ssh"; keyFile: string; knownHostsFile: string; passphrase: SecretReference | undefined }
  /** `apiUrl`: where installation tokens are asked for, without a slash at the end. */
  | { kind: "github-app"; appId: string; installationId: string; privateKey: SecretReference; apiUrl: string };

/** Where a repository is and how it is entered. */
export interface RepositoryAccess {
  /** http, https or ssh, without password; or `git@host:path`. */
  url: string;
  auth: RepositoryAuth | undefined;
  /** Certificates (PEM) to trust instead of the usual ones. */
  caFile: string | undefined;
  /** URL of an HTTP proxy without user information; undefined leaves it to the environment. */
  proxy: string | undefined;
}

export interface RepositoryConfiguration extends RepositoryAccess {
  name: string;
  /** Where targets are written that name no branch of their own. */
  branch: string;
  /** Author and committer of the commits. */
  author: Identity;
  /** The SSH key that signs them, unlocked. */
  signingKey: SecretReference | undefined;
}

interface ArgocdConfiguration {
  name: string;
  kubernetes: { kind: "in-cluster" } | { kind: "kubeconfig"; file: string; context: string | undefined } | undefined;
  server: { url: string; token: SecretReference } | undefined;
  caFile: string | undefined;
  /** Namespaces that hold Applications. */
  namespaces: string[];
  /** Refresh by annotation, which needs the right to patch Applications, instead of by REST. */
  refreshByAnnotation: boolean;
  /** What workloads name instead of what Git says. */
  imageAliases: { mirror: string; original: string }[];
}

export interface TektonConfiguration {
  name: string;
  /** Where runs are read again; absent: events are believed, and their sender has to be known. */
  kubernetes: ArgocdConfiguration["kubernetes"];
  /** Namespaces whose runs count; empty: all. */
  namespaces: string[];
  /** For whom the tokens of its service accounts have to be. */
  audience: string;
  /** Where people look at a run, with `{namespace}`, `{name}` and `{uid}`. */
  runUrl: string | undefined;
  /** Its runs are followed, beside its events; the labels that a run must have, and when the first of them ended (ms). */
  watch: { labels: Record<string, string>; since: number | undefined } | undefined;
  /** Tekton Results, for runs that were pruned. */
  results: { url: string; token: SecretReference; caFile: string | undefined } | undefined;
  /** What ends the path of the sink. */
  pathSecret: SecretReference | undefined;
  /** What stands before the host in the sink's address. */
  basic: { username: string; password: SecretReference } | undefined;
}

export interface RegistryConfiguration {
  /** As images name it. */
  host: string;
  /** Where it is, without a slash at the end; undefined: the host by https. */
  url: string | undefined;
  /** Asked first for what is named by its digest. */
  mirrors: string[];
  auth:
    | { kind: "basic"; username: string; password: SecretReference }
    /** As `docker login` writes it. */
    | { kind: "docker-config"; file: SecretReference }
    | undefined;
  /** Hosts beside its own that may be asked for tokens. */
  tokenHosts: string[];
  /** Certificates (PEM) to trust beside the usual ones. */
  caFile: string | undefined;
}

export interface OidcConfiguration {
  name: string;
  /** As its tokens say it. */
  issuer: string;
  audience: string;
  algorithms: string[];
  /** Where its keys are; neither: where its discovery document says. */
  jwksUri: string | undefined;
  jwksFile: string | undefined;
  caFile: string | undefined;
  /** How long after it was made a token is taken. */
  maxAgeMs: number;
  /** What follows `oidc:NAME:`, with `{claim}`. */
  subject: string;
  /** What the token says of the source, with `{claim}`. */
  source: { repository?: string | undefined; commit?: string | undefined; ref?: string | undefined };
}

export interface LimitsConfiguration {
  /** Build reports of one subject in a minute, in each replica. */
  buildsPerMinute?: number | undefined;
  /** Size of one build report. */
  buildBytes?: number | undefined;
  /** Requests of one address in a minute whose token or signature is wrong. */
  failedLoginsPerMinute?: number | undefined;
  /** Events of one sender in a minute, in each replica. */
  eventsPerMinute?: number | undefined;
  /** Open event streams of one replica. */
  streams?: number | undefined;
}

/** One configuration file, checked and resolved: paths are absolute, defaults are filled in, names are known. */
export interface Configuration {
  file: string;
  listen: ListenAddress;
  /** Where /metrics is served; absent means: nowhere. */
  metricsListen: ListenAddress | undefined;
  database: DatabaseConfiguration;
  repositories: ReadonlyMap<string, RepositoryConfiguration>;
  argocd: ReadonlyMap<string, ArgocdConfiguration>;
  /** Source repositories whose history may be read; an address may end in `/*`. */
  sources: ReadonlyMap<string, RepositoryAccess>;
  /** Clusters whose Tekton may send events. */
  tekton: ReadonlyMap<string, TektonConfiguration>;
  /** Image registries that may be asked, by the host that images name. */
  registries: ReadonlyMap<string, RegistryConfiguration>;
  /** Other CIs whose tokens are known. */
  oidc: ReadonlyMap<string, OidcConfiguration>;
  /** What must be proven of images, by the environments in which it must. */
  trust: ReadonlyMap<string, TrustPolicy>;
  environments: string[];
  apps: AppRule[];
  targets: Target[];
  /** What makes apps and targets beside those, out of the builds that come in. */
  pattern: AppPattern | undefined;
  /** Which annotated Applications may be targets; of two entries that let one in, the first counts. */
  annotated: AnnotatedRule[];
  access: AccessRule[];
  /** Keys of signed requests by name, each with one or two secrets that are valid at the same time. */
  signatures: ReadonlyMap<string, SecretReference[]>;
  /** What is absent has the default of the part that keeps the limit. */
  limits: LimitsConfiguration;
  /** Addresses and ranges whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  /**
   * SHA-256 (hex) of everything that decides what is delivered where and by whom. Addresses to listen on and the
   * database do not; secrets are no part of it, only where they are read from.
   */
  hash: string;
}

/** The branch of a repository that names none. */
export const DEFAULT_BRANCH = "main";
