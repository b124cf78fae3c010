import type { KubernetesLocation } from "../kubernetes/access.ts";
import { SourceHealth } from "../kubernetes/source-health.ts";
import { withTimeLimit } from "../kubernetes/time-limit.ts";
import type { ApplicationRef, ApplicationSnapshot, Inspection, InspectionKind } from "../model/application.ts";
import { GitspanError } from "../model/errors.ts";
import type { JudgeInput, Judgement } from "../model/judgement.ts";
import { ApplicationIndex, type ChangeListener } from "./application-index.ts";
import { annotatedOf, findApplications, type WantedFiles } from "./applications.ts";
import type { ArgoCdDeps } from "./deps.ts";
import { Followed } from "./followed.ts";
import { type ImageAlias, ImageAliases } from "./image-aliases.ts";
import { type Inspector, inspectorOf } from "./inspector.ts";
import { annotateRefresh, watchApplications } from "./kubernetes.ts";
import { type KubernetesAccess, openKubernetes } from "./kubernetes-access.ts";
import { Refresher } from "./refresher.ts";
import { ArgoCdRest } from "./rest.ts";
import { followByRest } from "./rest-source.ts";
import { sickOf } from "./sick.ts";
import { ARGOCD } from "./trouble.ts";
import { judge } from "./verdict.ts";

/** One Argo CD. Kubernetes is the truth where it is given; REST refreshes, and stands in where Kubernetes is not. */
export interface ArgoCdLocation {
  /** Its name in the configuration: `cluster` of its Applications. */
  name: string;
  kubernetes: KubernetesLocation | undefined;
  server: { url: string; token: () => Promise<string> } | undefined;
  caFile: string | undefined;
  /** Namespaces that hold Applications; empty: all. */
  namespaces: readonly string[];
  refreshByAnnotation: boolean;
  /** Mirrors that stand between the names in Git and those of Pods; none if absent. */
  imageAliases?: readonly ImageAlias[];
  /** A watch that is silent for longer is opened again; 90 s if absent. */
  idleMs?: number;
}

export interface ArgoCdConnection {
  find(wanted: WantedFiles): Promise<ReadonlyMap<string, readonly ApplicationRef[]>>;
  annotated(): Promise<ApplicationSnapshot[]>;
  snapshots(ref: ApplicationRef, afterVersion: string | undefined): Promise<ApplicationSnapshot[]>;
  refresh(ref: ApplicationRef, signal: AbortSignal): Promise<void>;
  inspect(ref: ApplicationRef, kind: InspectionKind, signal: AbortSignal): Promise<Inspection>;
  terminate(ref: ApplicationRef, signal: AbortSignal): Promise<void>;
  sick(cluster: string, withinMs: number): Promise<{ total: number; degraded: ApplicationRef[] }>;
  judge(input: JudgeInput): Judgement;
  /**
   * Calls back when an Application that somebody has asked for in the last minute changed, was listed or went away: of
   * thousands that are compared all the time only those are followed. Returns how to stop it.
   */
  onChange(listener: ChangeListener): () => void;
  /** One line per stream: whether it is complete and fresh. */
  ready(): { name: string; ok: boolean; detail: string }[];
  /** The same streams: milliseconds since each was last heard of, infinity before its first list. */
  ages(): { name: string; ageMs: number }[];
  close(): Promise<void>;
}

const IDLE_MS = 90_000;
const TERMINATE_MS = 10_000;

interface Cluster {
  name: string;
  sources: SourceHealth[];
  refresher: Refresher | undefined;
  inspect: Inspector;
  rest: ArgoCdRest | undefined;
}

/**
 * Opens all of them and begins to follow their Applications; does not wait for the first list. Until it has come,
 * `find` and `snapshots` reject with the transient `argocd-unreachable`: an Application that we have not seen yet must
 * not pass for one that does not exist. Rejects with `config-invalid` when a kubeconfig or CA file is unusable.
 */
export async function connectArgoCd(deps: ArgoCdDeps, locations: readonly ArgoCdLocation[]): Promise<ArgoCdConnection> {
  const index = new ApplicationIndex();
  const followed = new Followed(deps.ambient.clock);
  const lifetime = new AbortController();
  const opened = await Promise.all(locations.map(async (location) => open(deps, location, index)));
  const clusters = new Map(opened.map(({ cluster }) => [cluster.name, cluster]));
  const following = opened.flatMap(({ follow }) => follow.map(async (run) => run(lifetime.signal)));
  return {
    async find(wanted) {
      for (const cluster of clusters.values()) assertComplete(cluster);
      return findApplications(index.all(), wanted);
    },
    async annotated() {
      for (const cluster of clusters.values()) assertComplete(cluster);
      return annotatedOf(index.all());
    },
    async snapshots(ref, afterVersion) {
      assertComplete(clusterOf(clusters, ref));
      followed.ask(ref);
      return index.since(ref, afterVersion);
    },
    async refresh(ref, signal) {
      const { refresher } = clusterOf(clusters, ref);
      // Without REST and without the right to annotate, Argo CD's own polling has to do.
      await refresher?.refresh(ref, lifetime.signal, signal);
    },
    async inspect(ref, kind, signal) {
      const { inspect } = clusterOf(clusters, ref);
      return inspect({ ref, kind, snapshot: index.newest(ref) }, signal);
    },
    async terminate(ref, signal) {
      const { rest } = clusterOf(clusters, ref);
      if (rest === undefined) {
        throw new GitspanError("argocd-forbidden", `argocd.${ref.cluster} has no server to stop an operation with`, {
          hint: "Add `server` with a token that may sync Applications.",
        });
      }
      const limit = { ms: TERMINATE_MS, message: "Argo CD did not stop an operation in time", signal, trouble: ARGOCD };
      const project = index.newest(ref)?.project;
      await withTimeLimit(deps.ambient.clock, limit, async (limited) => rest.terminate(ref, project, limited));
    },
    sick: async (cluster, withinMs) => sickOf(index.all(), { cluster, withinMs }),
    judge,
    onChange: (listener) =>
      index.onChange((ref) => {
        if (followed.isAsked(ref)) listener(ref);
      }),
    ready: () =>
      [...clusters.values()].flatMap(({ sources }) => sources.map(({ name, ok, detail }) => ({ name, ok, detail }))),
    ages: () =>
      [...clusters.values()].flatMap(({ sources }) =>
        sources.map((source) => ({ name: source.name, ageMs: source.ageMs() })),
      ),
    async close() {
      lifetime.abort(new GitspanError("shutting-down", "the bridge is stopping"));
      await Promise.all(following);
    },
  };
}

interface Opened {
  cluster: Cluster;
  follow: ((signal: AbortSignal) => Promise<void>)[];
}

async function open(deps: ArgoCdDeps, location: ArgoCdLocation, index: ApplicationIndex): Promise<Opened> {
  const { name, server, caFile } = location;
  const rest = server === undefined ? undefined : await ArgoCdRest.open({ ...server, caFile });
  const kubernetes =
    location.kubernetes === undefined ? undefined : await openKubernetes(location.kubernetes, location.name);
  const refresher = refresherOf(deps, location, { rest, kubernetes, index });
  const aliases = new ImageAliases(location.imageAliases ?? []);
  const asked = inspectorOf(deps, { rest, kubernetes });
  const inspect: Inspector = async (input, signal) => aliases.inspection(await asked(input, signal));
  if (kubernetes !== undefined) {
    return openWatches(deps, location, { kubernetes, refresher, rest, inspect, index, aliases });
  }
  if (rest === undefined) {
    throw new GitspanError("config-invalid", `argocd.${name} has neither kubernetes nor server`, {
      hint: "Give it `kubernetes: in-cluster`, a kubeconfig, or the address of its server.",
    });
  }
  const health = new SourceHealth(deps.ambient.clock, `argocd/${name}`, 2 * IDLE_MS);
  const input = {
    cluster: name,
    rest,
    namespaces: location.namespaces,
    health,
    replace: (all: ApplicationSnapshot[]) =>
      index.replace(
        all.map((one) => aliases.snapshot(one)),
        (ref) => ref.cluster === name,
      ),
    put: (snapshot: ApplicationSnapshot) => index.put(aliases.snapshot(snapshot)),
    remove: (ref: ApplicationRef) => index.remove(ref),
  };
  return {
    cluster: { name, sources: [health], refresher, rest, inspect },
    follow: [async (signal) => followByRest(deps, input, signal)],
  };
}

function openWatches(
  deps: ArgoCdDeps,
  location: ArgoCdLocation,
  parts: {
    kubernetes: KubernetesAccess;
    refresher: Refresher | undefined;
    inspect: Inspector;
    rest: ArgoCdRest | undefined;
    index: ApplicationIndex;
    aliases: ImageAliases;
  },
): Opened {
  const { name } = location;
  const { index, aliases } = parts;
  const idleMs = location.idleMs ?? IDLE_MS;
  const scopes: (string | undefined)[] = location.namespaces.length === 0 ? [undefined] : [...location.namespaces];
  const watches = scopes.map((namespace) => {
    const label = namespace === undefined ? `argocd/${name}` : `argocd/${name}/${namespace}`;
    const health = new SourceHealth(deps.ambient.clock, label, 2 * idleMs);
    const inScope = (ref: ApplicationRef): boolean =>
      ref.cluster === name && (namespace === undefined || ref.namespace === namespace);
    return {
      cluster: name,
      access: parts.kubernetes,
      namespace,
      idleMs,
      health,
      replace: (all: ApplicationSnapshot[]) =>
        index.replace(
          all.map((one) => aliases.snapshot(one)),
          inScope,
          { rewind: true },
        ),
      put: (snapshot: ApplicationSnapshot) => index.put(aliases.snapshot(snapshot)),
      remove: (ref: ApplicationRef) => index.remove(ref),
    };
  });
  return {
    cluster: {
      name,
      sources: watches.map(({ health }) => health),
      refresher: parts.refresher,
      inspect: parts.inspect,
      rest: parts.rest,
    },
    follow: watches.map((watch) => async (signal: AbortSignal) => watchApplications(deps, watch, signal)),
  };
}

function refresherOf(
  deps: ArgoCdDeps,
  location: ArgoCdLocation,
  parts: { rest: ArgoCdRest | undefined; kubernetes: KubernetesAccess | undefined; index: ApplicationIndex },
): Refresher | undefined {
  const { rest, kubernetes, index } = parts;
  if (kubernetes !== undefined && location.refreshByAnnotation) {
    return new Refresher(deps, async (ref, signal) => annotateRefresh(kubernetes, ref, signal));
  }
  if (rest === undefined) return undefined;
  return new Refresher(deps, async (ref, signal) => rest.refresh(ref, index.newest(ref)?.project, signal));
}

function clusterOf(clusters: ReadonlyMap<string, Cluster>, ref: ApplicationRef): Cluster {
  const cluster = clusters.get(ref.cluster);
  if (cluster !== undefined) return cluster;
  throw new GitspanError("argocd-not-found", `there is no Argo CD named ${ref.cluster} in the configuration`, {
    hint: "Applications are written <argocd name>/<namespace>/<name>.",
  });
}

function assertComplete({ name, sources }: Cluster): void {
  const missing = sources.find(({ complete }) => !complete);
  if (missing === undefined) return;
  const why = missing.error === undefined ? "" : `: ${missing.error}`;
  throw new GitspanError("argocd-unreachable", `the Applications of Argo CD ${name} are not known yet${why}`, {
    hint: "It is tried again by itself; see /readyz?verbose.",
    transient: true,
  });
}
