import { count, list, record, text, texts, type Untrusted } from "../kubernetes/untrusted.ts";
import type { Inspection, PodState } from "../model/application.ts";

/** What Argo CD's resource tree tells: Pods, and the health of what made them with the images they run. */
export function inspectionOfTree(tree: unknown): Required<Pick<Inspection, "pods" | "health">> {
  const nodes = list(record(tree)["nodes"]).map((node) => record(node));
  const byUid = new Map(nodes.map((node) => [text(node["uid"]), node]));
  const images = new Map<Untrusted, Set<string>>();
  for (const pod of nodes.filter(isPod)) {
    for (const ancestor of ancestorsOf(pod, byUid)) {
      const known = images.get(ancestor) ?? new Set();
      for (const image of texts(pod["images"])) known.add(image);
      images.set(ancestor, known);
    }
  }
  return {
    pods: nodes.filter(isPod).map(podOfNode),
    health: nodes.flatMap((node) => {
      const status = text(record(node["health"])["status"]);
      // What a Deployment made is told by the Deployment.
      if (isPod(node) || status === "" || list(node["parentRefs"]).length > 0) return [];
      const resource = [node["kind"], node["namespace"], node["name"]].map((part) => text(part)).join("/");
      return [{ resource, status, images: [...(images.get(node) ?? [])] }];
    }),
  };
}

/**
 * Pods in any of the forms in which people have them: a resource tree, a list of Kubernetes, single objects of either,
 * or `{name, images, ready, restarts, reason}`. What is no Pod is left out.
 */
export function podsOf(value: unknown): PodState[] {
  if (Array.isArray(value)) return value.flatMap((item) => podsOf(item));
  const object = record(value);
  if (Array.isArray(object["nodes"])) return podsOf(object["nodes"]);
  if (Array.isArray(object["items"])) return podsOf(object["items"]);
  const kind = text(object["kind"]).toLowerCase();
  if (kind !== "" && kind !== "pod") return [];
  if (object["spec"] !== undefined) return [podOfObject(object)];
  if (object["info"] !== undefined || object["parentRefs"] !== undefined) return [podOfNode(object)];
  const named = [...texts(object["images"]), ...texts([object["image"]])];
  return named.length === 0 ? [] : [plainPod(object, named)];
}

function isPod(node: Untrusted): boolean {
  return node["kind"] === "Pod";
}

function ancestorsOf(node: Untrusted, byUid: ReadonlyMap<string, Untrusted>): Set<Untrusted> {
  const found = new Set<Untrusted>();
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const ref of list(next["parentRefs"])) {
      const parent = byUid.get(text(record(ref)["uid"]));
      if (parent === undefined || found.has(parent)) continue;
      found.add(parent);
      pending.push(parent);
    }
  }
  return found;
}

function podOfNode(node: Untrusted): PodState {
  const info = new Map(list(node["info"]).map((item) => [text(record(item)["name"]), text(record(item)["value"])]));
  const [ready, all] = (info.get("Containers") ?? "").split("/");
  return {
    name: text(node["name"]),
    images: texts(node["images"]),
    ready: ready !== undefined && ready !== "" && ready === all,
    restarts: count(info.get("Restart Count")),
    reason: info.get("Status Reason") ?? "",
    owner: text(record(list(node["parentRefs"])[0])["name"]),
  };
}

function podOfObject(pod: Untrusted): PodState {
  const metadata = record(pod["metadata"]);
  const spec = record(pod["spec"]);
  const status = record(pod["status"]);
  const containers = list(status["containerStatuses"]).map((item) => record(item));
  const waiting = containers.map((container) => {
    const state = record(container["state"]);
    return text(record(state["waiting"])["reason"]) || text(record(state["terminated"])["reason"]);
  });
  const condition = list(status["conditions"]).find((item) => record(item)["type"] === "Ready");
  return {
    name: text(metadata["name"]),
    images: [...list(spec["initContainers"]), ...list(spec["containers"])].map((item) => text(record(item)["image"])),
    ready: record(condition)["status"] === "True",
    restarts: containers.reduce((sum, container) => sum + count(container["restartCount"]), 0),
    reason:
      metadata["deletionTimestamp"] === undefined
        ? (waiting.find((reason) => reason !== "") ?? text(status["phase"]))
        : "Terminating",
    owner: text(record(list(metadata["ownerReferences"])[0])["name"]),
  };
}

/** `state` may read `waiting:CrashLoopBackOff`; `deleting` is when it was told to go. */
function plainPod(pod: Untrusted, images: string[]): PodState {
  const state = text(pod["reason"]) || text(pod["state"]) || text(pod["phase"]);
  return {
    name: text(pod["name"]) || text(pod["key"]),
    images,
    ready: pod["ready"] === true,
    restarts: count(pod["restarts"] ?? pod["restartCount"]),
    reason: pod["deleting"] === undefined ? state.slice(state.indexOf(":") + 1) : "Terminating",
    owner: text(pod["owner"]),
  };
}
