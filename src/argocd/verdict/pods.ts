import type { PodState } from "../../model/application.ts";
import type { Evidence } from "../../model/observation.ts";
import { isSameImage } from "./images.ts";
import type { Look } from "./look.ts";

/** A container that restarted once may have waited for a database; this long without another one it is forgiven. */
const FORGIVEN_MS = 300_000;

/** Kubernetes' words for a Pod that will not run by itself. */
const BROKEN =
  /^(?:Init:)?(?:CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainer\w*Error|Error)$/;

/** What the Pods say beside `status.health`, which a container that dies every twelve seconds keeps green for ten of them (recording n). */
export type PodWord = "unknown" | "ready" | "not-ready" | "restarted" | "crashing";

export function podsOf(look: Look): { word: PodWord; evidence: Evidence[] } {
  const { input, before, memory, now } = look;
  const pods = newPods(look);
  if (pods.length === 0) return { word: "unknown", evidence: [] };
  // Of one Pod: several that each waited once for the same database are not crashing.
  const restarts = Math.max(...pods.map((pod) => pod.restarts));
  // Pods that ran our image before the push may have restarted for reasons of their own.
  const ranBefore = input.images.new.some((image) => names(input.baseline?.summaryImages ?? [], image));
  memory.firstRestarts = before.firstRestarts ?? (ranBefore ? restarts : 0);
  if (before.restartsSince === undefined || restarts !== before.restarts) memory.restartsSince = now;
  memory.restarts = restarts;
  const evidence = pods.map((pod) => podEvidence(pod));
  const added = restarts - memory.firstRestarts;
  if (added > 1) return { word: "crashing", evidence };
  if (pods.some(({ ready }) => !ready)) return { word: "not-ready", evidence };
  const quietMs = now - (memory.restartsSince ?? now);
  return { word: added > 0 && quietMs < FORGIVEN_MS ? "restarted" : "ready", evidence };
}

/** A Pod of an image that came with this commit and does not run by itself: nobody else's doing. */
export function brokenPod(look: Look): Evidence | undefined {
  const known = look.input.baseline?.summaryImages ?? [];
  const broken = newPods(look).find(
    (pod) => (BROKEN.test(pod.reason) || pod.restarts > 1) && !pod.images.every((image) => names(known, image)),
  );
  return broken === undefined ? undefined : podEvidence(broken);
}

/** Whether everything that runs our images is well, although other things of the Application are not. */
export function ownWorkloadsReady(look: Look): Evidence[] | undefined {
  const { input } = look;
  const own = (input.inspection?.health ?? []).filter(({ images }) =>
    input.images.new.some((image) => names(images, image)),
  );
  const { word, evidence } = podsOf(look);
  if (own.length === 0 || word !== "ready" || own.some(({ status }) => status !== "Healthy")) return undefined;
  const workloads = own.map(({ resource, status }) => ({
    field: "resource-tree",
    value: `${resource} ${status}`,
    rule: "the workload of the new image is healthy",
  }));
  return [...workloads, ...evidence];
}

/** Pods that name a new image and are not on their way out. */
function newPods({ input }: Look): PodState[] {
  return (input.inspection?.pods ?? []).filter(
    (pod) => pod.reason !== "Terminating" && input.images.new.some((image) => names(pod.images, image)),
  );
}

function names(images: readonly string[], wanted: string): boolean {
  return images.some((image) => isSameImage(wanted, image));
}

function podEvidence({ name, ready, restarts, reason }: PodState): Evidence {
  const value = `${name}: ${reason || "no reason"}, ${ready ? "ready" : "not ready"}, ${restarts} restarts`;
  return { field: "pods", value, rule: "a Pod of the new image" };
}
