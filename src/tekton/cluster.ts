import type { KubernetesLocation } from "../kubernetes/access.ts";
import type { Clock } from "../model/ambient.ts";
import type { BuildReport } from "../model/build.ts";
import type { BuildTasks } from "../model/build-tasks.ts";
import type { Unverified } from "../model/json-web-token.ts";
import { openTektonApi } from "./api.ts";
import { type TaskCaller, TaskCallers } from "./caller.ts";
import { type FollowDeps, type Following, type FollowLocation, followRuns } from "./follow.ts";
import { type RunClaim, reportFromInside } from "./inside.ts";
import { type EventReading, readEvent, type SentEvent } from "./receiver.ts";

/** One cluster with Tekton. */
export interface TektonLocation {
  /** Its name in the configuration. */
  name: string;
  /** Where its runs are read; undefined: events are believed, and nothing else comes from it. */
  kubernetes: KubernetesLocation | undefined;
  /** Namespaces whose runs count; empty: all. */
  namespaces: readonly string[];
  /** For whom the tokens of its service accounts have to be. */
  audience: string;
  /** Where people look at a run, with `{namespace}`, `{name}` and `{uid}`. */
  runUrl: string | undefined;
  /** How its runs are followed; undefined: only by events. */
  watch: Pick<FollowLocation, "labels" | "since" | "results" | "idleMs"> | undefined;
}

export interface TektonDeps {
  clock: Clock;
  buildTasks: () => BuildTasks;
  /** What following runs needs; without it they are not followed. */
  follow?: FollowDeps;
}

/** Service accounts of the cluster, as callers. Errors: `Refused`, `kubernetes-unavailable`, `kubernetes-forbidden`. */
export interface ServiceAccounts {
  identify(token: { token: string; claims: Unverified }, signal: AbortSignal): Promise<TaskCaller>;
  /** What the caller's run has built. */
  report(caller: TaskCaller, claim: RunClaim, signal: AbortSignal): Promise<BuildReport>;
}

export interface TektonCluster {
  readEvent(event: SentEvent, signal: AbortSignal): Promise<EventReading>;
  /** Absent where the cluster cannot be reached. */
  serviceAccounts?: ServiceAccounts;
  following?: Following;
}

/** Rejects with `config-invalid` when there is no way to the API server, or a CA file is unusable. */
export async function openTekton(deps: TektonDeps, location: TektonLocation): Promise<TektonCluster> {
  const { kubernetes, name: cluster, namespaces, audience, runUrl, watch } = location;
  const api = kubernetes === undefined ? undefined : await openTektonApi(kubernetes, cluster);
  const reading = (event: SentEvent, signal: AbortSignal) =>
    readEvent({ ...deps, reader: api }, { ...event, cluster, namespaces, runUrl }, signal);
  if (api === undefined) return { readEvent: reading };
  const callers = new TaskCallers({ ...deps, api });
  const { follow } = deps;
  const following = watch && follow && (await followRuns(follow, api, { ...watch, name: cluster, namespaces, runUrl }));
  return {
    readEvent: reading,
    serviceAccounts: {
      identify: (token, signal) => callers.identify({ ...token, audience, namespaces }, signal),
      report: (caller, claim, signal) => reportFromInside({ ...deps, api }, { cluster, runUrl, caller, claim }, signal),
    },
    ...(following === undefined ? {} : { following }),
  };
}
