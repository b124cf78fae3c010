import type { ApplicationSnapshot } from "../model/application.ts";
import type { Oid } from "../model/git.ts";
import type { AttemptInput } from "../model/lane.ts";
import type { Baseline, Observation } from "../model/observation.ts";
import type { Lane } from "../model/target.ts";
import type { PlannedDelivery } from "./plan.ts";
import type { ArgoCd, GitRepository, Log } from "./ports.ts";

export interface AttemptItemDeps {
  git: Pick<GitRepository, "lastChange">;
  argocd: Pick<ArgoCd, "find" | "snapshots">;
  log: Log;
}

export interface AttemptItemInput {
  lane: Lane;
  repositoryUrl: string;
  planned: PlannedDelivery;
  /** The commit that carries the delivery; for one whose values stand already the tip, from which it is looked for. */
  commit: Oid;
}

/** What the store keeps of a planned delivery: its commit, and how Argo CD stood before the push. */
export async function attemptItem(
  deps: AttemptItemDeps,
  input: AttemptItemInput,
  signal: AbortSignal,
): Promise<AttemptInput["items"][number]> {
  const { planned, commit } = input;
  const adopted = planned.commit === undefined ? await deps.git.lastChange(commit, planned.paths, signal) : undefined;
  const observation: Observation = {
    pushedAt: 0,
    paths: planned.paths,
    newImages: planned.newImages,
    oldImages: planned.oldImages,
    applications: await freezeApplications(deps, input),
  };
  return {
    deliveryId: planned.delivery.id,
    targetId: planned.target.id,
    commit: adopted?.oid ?? commit,
    observation,
    warnings: planned.warnings,
    deliveryVersion: planned.delivery.version,
    targetVersion: planned.targetVersion,
  };
}

/** The Applications that run the target, as they stand before the push. Argo CD out of reach must not stop a commit. */
async function freezeApplications(
  deps: AttemptItemDeps,
  { lane, repositoryUrl, planned }: AttemptItemInput,
): Promise<Observation["applications"]> {
  try {
    const refs =
      planned.target.applications ??
      (await deps.argocd.find({ repositoryUrl, branch: lane.branch, paths: planned.paths }));
    return await Promise.all(
      refs.map(async (ref) => {
        const latest = (await deps.argocd.snapshots(ref, undefined)).at(-1);
        const baseline = latest === undefined ? undefined : baselineOf(latest);
        return { ref, baseline, memory: { resourceVersion: latest?.resourceVersion } };
      }),
    );
  } catch (error) {
    deps.log.warn("Argo CD could not be asked before a push", { target: planned.target.id, error });
    return [];
  }
}

/** What has to be known of an Application before a push, so that old trouble is not blamed on the new commit. */
function baselineOf(snapshot: ApplicationSnapshot): Baseline {
  return {
    health: snapshot.health,
    conditions: snapshot.conditions.map((condition) => condition.type),
    summaryImages: snapshot.summaryImages,
    degraded: snapshot.resources
      .filter((resource) => resource.health === "Degraded")
      .map((resource) => `${resource.kind}/${resource.namespace}/${resource.name}`),
    finishedAt: snapshot.operation?.finishedAt,
  };
}
