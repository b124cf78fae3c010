import { type ArgoCdConnection, connectArgoCd } from "./argocd/connection.ts";
import type { Configuration, OidcConfiguration, TektonConfiguration } from "./config/configuration.ts";
import { LiveParts, type PreparedChange } from "./config/live-parts.ts";
import { resolveSecret } from "./config/secrets.ts";
import type { ArgoCd, GitRepository, Log, Trust } from "./delivery/ports.ts";
import type { RemoteRepository } from "./git/repository.ts";
import type { EventSource } from "./http/event-source.ts";
import type { Ambient } from "./model/ambient.ts";
import type { ApplicationRef } from "./model/application.ts";
import type { BuildTasks } from "./model/build-tasks.ts";
import { GitspanError } from "./model/errors.ts";
import { type Issuer, openIssuer } from "./oidc/issuer.ts";
import { locationOf, openRepository, type RepositoryLocation } from "./repository-connection.ts";
import { SourceRepositories } from "./source-repositories.ts";
import { openTekton, type ServiceAccounts, type TektonCluster } from "./tekton/cluster.ts";
import type { FollowDeps, Following } from "./tekton/follow.ts";
import type { TrustDeps } from "./trust/trust.ts";
import { checkSigners, openTrust } from "./trust-connection.ts";

export interface ConnectionDeps {
  ambient: Ambient;
  log: Log;
  /** Wraps a repository before anybody uses it. */
  decorate: (git: GitRepository) => GitRepository;
  /** Called with every Application that changed. */
  changed: (application: ApplicationRef) => void;
  /** Of the configuration in force now. */
  buildTasks: () => BuildTasks;
  /** Called for every request to an image registry. */
  registryRequest: TrustDeps["counted"];
  /** Takes the runs that are followed; absent: none are. */
  runs?: Pick<FollowDeps, "take" | "counted" | "positions">;
}

/** All Argo CDs share one index of Applications, so they are opened and replaced together; event sources with them. */
const ALL = "all";

/** What a configuration opens to the outside; a new configuration replaces the parts that it changes, no others. */
export class Connections {
  readonly #repositories: LiveParts<RepositoryLocation, { port: GitRepository; close(): void }>;
  readonly #argocds: LiveParts<Configuration["argocd"], ArgoCdConnection>;
  readonly #sources: LiveParts<RepositoryLocation[], SourceRepositories>;
  readonly #issuers: LiveParts<OidcConfiguration, { issuer: Issuer; url: string; close(): void }>;
  readonly #clusters: LiveParts<Configuration["tekton"], Awaited<ReturnType<typeof openClusters>>>;
  readonly #registries: LiveParts<Configuration["registries"], Awaited<ReturnType<typeof openTrust>>>;
  /** Whichever connection is in force when it is asked. */
  readonly argocd: ArgoCd;
  readonly trust: Trust;

  constructor(deps: ConnectionDeps) {
    this.#repositories = new LiveParts(async (location) => {
      const { git, close } = openRepository(deps, location);
      return { port: deps.decorate(git), close };
    });
    this.#argocds = new LiveParts(async (locations) => {
      const connection = await connectArgoCd(deps, argocdOptions(locations));
      connection.onChange(deps.changed);
      return connection;
    });
    this.#sources = new LiveParts(async (locations) => new SourceRepositories(deps, locations));
    this.#issuers = new LiveParts(async (configured) => {
      const issuer = await openIssuer(deps.ambient.clock, configured);
      return { issuer, url: configured.issuer, close: () => undefined };
    });
    this.#clusters = new LiveParts((tekton) => openClusters(deps, tekton));
    const registryDeps = { clock: deps.ambient.clock, counted: deps.registryRequest };
    this.#registries = new LiveParts((registries) => openTrust(registryDeps, registries));
    this.argocd = currentArgoCd(() => this.#argocds.get(ALL));
    this.trust = currentTrust(() => this.#registries.get(ALL));
  }

  /** Opens what is new, then calls `swap` and changes over, all at once. Throws when something cannot be opened. */
  async apply(
    next: Pick<Configuration, "repositories" | "argocd" | "tekton" | "oidc" | "sources" | "registries" | "trust">,
    swap: () => void,
  ): Promise<void> {
    await checkSigners(next.trust);
    const changes: PreparedChange[] = [];
    try {
      changes.push(await this.#repositories.prepare(await locationsOf(next.repositories)));
      changes.push(await this.#argocds.prepare(new Map([[ALL, next.argocd]])));
      changes.push(await this.#registries.prepare(new Map([[ALL, next.registries]])));
      changes.push(await this.#clusters.prepare(new Map([[ALL, next.tekton]])));
      changes.push(await this.#issuers.prepare(next.oidc));
      const sources = await Promise.all([...next.sources.values()].map(locationOf));
      changes.push(await this.#sources.prepare(new Map([[ALL, sources]])));
      swap();
      for (const change of changes) change.swap();
    } finally {
      for (const change of changes) await change.settle();
    }
  }

  repository(name: string): GitRepository | undefined {
    return this.#repositories.get(name)?.port;
  }

  /** The source repository with this address, if there is a way to read it. */
  source(url: string): RemoteRepository | undefined {
    return this.#sources.get(ALL)?.find(url);
  }

  eventSources(): ReadonlyMap<string, EventSource> {
    return this.#clusters.get(ALL)?.sources ?? new Map();
  }

  /** The clusters whose API server says who has a token. */
  serviceAccounts(): ReadonlyMap<string, ServiceAccounts> {
    return this.#clusters.get(ALL)?.accounts ?? new Map();
  }

  /** The other CI that makes tokens with this issuer. */
  issuer(url: string): Issuer | undefined {
    return this.#issuers.values().find((each) => each.url === url)?.issuer;
  }

  /** One line for each stream of runs. */
  runs(): { name: string; ok: boolean; detail: string; ageMs: number }[] {
    return (this.#clusters.get(ALL)?.following ?? []).flatMap(({ streams }) =>
      streams.map((stream) => ({ name: stream.name, ok: stream.ok, detail: stream.detail, ageMs: stream.ageMs() })),
    );
  }

  /** One line for each stream of Applications. */
  ready(): ReturnType<ArgoCdConnection["ready"]> {
    return this.#argocds.get(ALL)?.ready() ?? [];
  }

  ages(): ReturnType<ArgoCdConnection["ages"]> {
    return this.#argocds.get(ALL)?.ages() ?? [];
  }

  async close(): Promise<void> {
    await this.#clusters.close();
    await this.#registries.close();
    await this.#argocds.close();
    await this.#sources.close();
    await this.#repositories.close();
  }
}

async function locationsOf(repositories: Configuration["repositories"]): Promise<Map<string, RepositoryLocation>> {
  const read = [...repositories.values()].map(async (access) => [access.name, await locationOf(access)] as const);
  return new Map(await Promise.all(read));
}

function argocdOptions(argocd: Configuration["argocd"]) {
  return [...argocd.values()].map(({ server, ...rest }) => ({
    ...rest,
    server: server && { url: server.url, token: () => resolveSecret(server.token) },
  }));
}

async function openClusters(deps: ConnectionDeps, tekton: Configuration["tekton"]) {
  const { ambient, log, buildTasks, runs } = deps;
  const following: Following[] = [];
  const sources = new Map<string, EventSource>();
  const accounts = new Map<string, ServiceAccounts>();
  for (const configured of tekton.values()) {
    const { watch, results } = configured;
    const read = results && { ...results, token: () => resolveSecret(results.token) };
    const cluster = await openTekton(
      { clock: ambient.clock, buildTasks, ...(runs === undefined ? {} : { follow: { ...runs, ambient, log } }) },
      { ...configured, watch: watch && { ...watch, results: read } },
    );
    sources.set(configured.name, eventSourceOf(configured, cluster));
    if (cluster.serviceAccounts !== undefined) accounts.set(configured.name, cluster.serviceAccounts);
    if (cluster.following !== undefined) following.push(cluster.following);
  }
  return {
    sources,
    accounts,
    following,
    async close() {
      await Promise.all(following.map((each) => each.close()));
    },
  };
}

function eventSourceOf(configured: TektonConfiguration, cluster: TektonCluster): EventSource {
  const { kubernetes, pathSecret, basic } = configured;
  return {
    trusted: kubernetes === undefined,
    pathSecret: pathSecret && (() => resolveSecret(pathSecret)),
    basic: basic && { username: basic.username, password: () => resolveSecret(basic.password) },
    read: cluster.readEvent,
  };
}

function currentArgoCd(current: () => ArgoCdConnection | undefined): ArgoCd {
  const connected = () => current() ?? stopping();
  return {
    find: async (wanted) => connected().find(wanted),
    annotated: async () => connected().annotated(),
    snapshots: async (ref, afterVersion) => connected().snapshots(ref, afterVersion),
    refresh: async (ref, signal) => connected().refresh(ref, signal),
    inspect: async (ref, kind, signal) => connected().inspect(ref, kind, signal),
    terminate: async (ref, signal) => connected().terminate(ref, signal),
    sick: async (cluster, withinMs) => connected().sick(cluster, withinMs),
    judge: (input) => connected().judge(input),
  };
}

function currentTrust(current: () => Trust | undefined): Trust {
  const connected = () => current() ?? stopping();
  return {
    covers: (repository) => connected().covers(repository),
    digestOf: async (image, signal) => connected().digestOf(image, signal),
    absenceOf: async (image, signal) => connected().absenceOf(image, signal),
    decide: async (question, signal) => connected().decide(question, signal),
  };
}

function stopping(): never {
  throw new GitspanError("shutting-down", "the bridge is stopping", { transient: true });
}
