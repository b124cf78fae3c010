import { type ApplicationRef, applicationsAt } from "../model/application.ts";
import { baselineOf } from "../model/baseline.ts";
import type { Oid } from "../model/git.ts";
import type { AttemptInput } from "../model/lane.ts";
import type { Observation } from "../model/observation.ts";
import type { Lane } from "../model/target.ts";
import type { PlannedDelivery } from "./plan.ts";
import type { ArgoCd, GitRepository, Log } from "./ports.ts";

export interface AttemptItemDeps {
  git: Pick<GitRepository, "lastChange">;
  argocd: Pick<ArgoCd, "find" | "snapshots">;
  log: Log;
}

export interface AttemptItemsInput {
  lane: Lane;
  repositoryUrl: string;
  /** Each with the commit that carries it; for one whose values stand already the tip, from which it is looked for. */
  planned: readonly { planned: PlannedDelivery; commit: Oid }[];
}

/** What the store keeps of planned deliveries: their commits, and how Argo CD stood before the push. */
export async function attemptItems(
  deps: AttemptItemDeps,
  input: AttemptItemsInput,
  signal: AbortSignal,
): Promise<AttemptInput["items"]> {
  const found = await findAll(deps, input);
  return Promise.all(
    input.planned.map(async ({ planned, commit }) => {
      const adopted =
        planned.commit === undefined ? await deps.git.lastChange(commit, planned.paths, signal) : undefined;
      const observation: Observation = {
        pushedAt: 0,
        paths: planned.paths,
        newImages: planned.newImages,
        oldImages: planned.oldImages,
        applications: await freezeApplications(deps, planned, found),
      };
      return {
        deliveryId: planned.delivery.id,
        targetId: planned.target.id,
        commit: adopted?.oid ?? commit,
        ...(planned.images && { images: planned.images }),
        observation,
        warnings: planned.warnings,
        deliveryVersion: planned.delivery.version,
        targetVersion: planned.targetVersion,
      };
    }),
  );
}

/** Looks for the Applications of all of them at once. Argo CD out of reach must not stop a commit. */
async function findAll(
  deps: AttemptItemDeps,
  { lane, repositoryUrl, planned }: AttemptItemsInput,
): Promise<ReadonlyMap<string, readonly ApplicationRef[]>> {
  const paths = planned.flatMap((item) => (item.planned.target.applications === undefined ? item.planned.paths : []));
  if (paths.length === 0) return new Map();
  try {
    return await deps.argocd.find({ repositoryUrl, branch: lane.branch, paths: [...new Set(paths)] });
  } catch (error) {
    deps.log.warn("Argo CD could not be asked before a push", { lane: lane.branch, error });
    return new Map();
  }
}

/** The Applications that run the target, as they stand before the push. */
async function freezeApplications(
  deps: AttemptItemDeps,
  { target, paths }: PlannedDelivery,
  found: ReadonlyMap<string, readonly ApplicationRef[]>,
): Promise<Observation["applications"]> {
  try {
    return await Promise.all(
      (target.applications ?? applicationsAt(found, paths)).map(async (ref) => {
        const latest = (await deps.argocd.snapshots(ref, undefined)).at(-1);
        const baseline = latest === undefined ? undefined : baselineOf(latest);
        return { ref, baseline, memory: { resourceVersion: latest?.resourceVersion } };
      }),
    );
  } catch (error) {
    deps.log.warn("Argo CD could not be asked before a push", { target: target.id, error });
    return [];
  }
}
