import { count, isRecord, list, optionalText, record, text, texts, type Untrusted } from "../kubernetes/untrusted.ts";
import {
  ANNOTATION_LIMIT,
  type Annotated,
  type ApplicationOperation,
  type ApplicationSnapshot,
  type ApplicationSource,
} from "../model/application.ts";
import { parentOf, sameSources, sourcesOf, specValuesOf } from "./spec.ts";

/** Enough of an error message for people; kustomize can write pages. */
const MESSAGE_LIMIT = 1_000;
const RESOURCE_LIMIT = 50;

/** Beyond this the texts are begun anew: those that are kept go on being shared. */
const SHARED_LIMIT = 5_000;
const shared = new Map<string, string>();

/** One copy of what thousands of Applications say alike: the repository, the revision, "Synced". */
function common(value: string): string {
  const known = shared.get(value);
  if (known !== undefined) return known;
  if (shared.size >= SHARED_LIMIT) shared.clear();
  shared.set(value, value);
  return value;
}

/**
 * Keeps of an Application what verdicts rest on (about 1 kB of 10 to 150). The object may have any shape: what is
 * missing becomes "" or [].
 */
export function toSnapshot(cluster: string, application: unknown): ApplicationSnapshot {
  const root = record(application);
  const metadata = record(root["metadata"]);
  const spec = record(root["spec"]);
  const status = record(root["status"]);
  const sync = record(status["sync"]);
  const health = record(status["health"]);
  const annotations = record(metadata["annotations"]);
  const multiSource = list(spec["sources"]).length > 0;
  const parent = parentOf(metadata);
  const operation = toOperation(status["operationState"], spec);
  const annotated = toAnnotated(annotations, spec);
  return {
    ref: { cluster, namespace: common(text(metadata["namespace"])), name: text(metadata["name"]) },
    uid: text(metadata["uid"]),
    resourceVersion: text(metadata["resourceVersion"]),
    sources: toSources(spec),
    multiSource,
    project: common(text(spec["project"])),
    annotations: {
      ...given("refresh", annotations["argocd.argoproj.io/refresh"]),
      skipReconcile: annotations["argocd.argoproj.io/skip-reconcile"] === "true",
    },
    ...(annotated === undefined ? {} : { annotated }),
    automated: isAutomated(record(spec["syncPolicy"])["automated"]),
    ...given("applicationSet", ownerOf(metadata)),
    ...given("parent", parent),
    specValues: parent === undefined ? [] : specValuesOf(spec),
    ...decided("comparedToSpec", sameSources(spec, record(sync["comparedTo"]))),
    hasRollout: list(status["resources"]).some((resource) => record(resource)["kind"] === "Rollout"),
    sync: common(text(sync["status"])),
    revisions: revisionsOf(sync),
    health: common(text(health["status"])),
    healthMessage: text(health["message"], MESSAGE_LIMIT),
    ...given("healthSince", health["lastTransitionTime"]),
    ...given("reconciledAt", status["reconciledAt"]),
    operationRequested: isRecord(root["operation"]),
    ...(operation === undefined ? {} : { operation }),
    conditions: list(status["conditions"]).map((condition) => ({
      type: text(record(condition)["type"]),
      message: text(record(condition)["message"], MESSAGE_LIMIT),
    })),
    summaryImages: texts(record(status["summary"])["images"]),
    resources: toResources(status["resources"]),
  };
}

/** The Git sources of a spec. */
export function toSources(spec: Untrusted): ApplicationSource[] {
  return sourcesOf(spec).map((source) => {
    const valueFiles = texts(record(source["helm"])["valueFiles"]);
    return {
      repoURL: common(text(source["repoURL"])),
      ...given("path", source["path"]),
      ...given("targetRevision", source["targetRevision"]),
      ...given("chart", source["chart"]),
      ...given("ref", source["ref"]),
      ...(valueFiles.length === 0 ? {} : { valueFiles }),
      ...(record(source["directory"])["recurse"] === true ? { recurse: true as const } : {}),
    };
  });
}

function toAnnotated(annotations: Untrusted, spec: Untrusted): Annotated | undefined {
  const images = optionalText(annotations["gitspan.dev/images"], ANNOTATION_LIMIT + 1);
  if (images === undefined) return undefined;
  const own = sourcesOf(spec).flatMap((source) => texts(record(source["kustomize"])["images"]));
  return {
    images,
    ...given("app", annotations["gitspan.dev/app"]),
    ...given("environment", annotations["gitspan.dev/environment"]),
    own,
  };
}

/** `automated: {}` means on; since Argo CD 3.1 `enabled: false` switches it off. */
function isAutomated(automated: unknown): boolean {
  return isRecord(automated) && automated["enabled"] !== false;
}

/** Several sources have `revisions` and an empty `revision`. */
function revisionsOf(from: Untrusted): string[] {
  const several = list(from["revisions"]);
  if (several.length > 0) return several.map((revision) => common(text(revision)));
  const one = optionalText(from["revision"]);
  return one === undefined ? [] : [common(one)];
}

function ownerOf(metadata: Untrusted): unknown {
  const owners = list(metadata["ownerReferences"]).map((owner) => record(owner));
  return owners.find((owner) => owner["kind"] === "ApplicationSet")?.["name"];
}

function toOperation(value: unknown, spec: Untrusted): ApplicationOperation | undefined {
  if (!isRecord(value)) return undefined;
  const requested = record(record(value["operation"])["sync"]);
  const result = record(value["syncResult"]);
  return {
    phase: common(text(value["phase"])),
    message: common(text(value["message"], MESSAGE_LIMIT)),
    ...given("startedAt", value["startedAt"]),
    ...given("finishedAt", value["finishedAt"]),
    retryCount: count(value["retryCount"]),
    revisions: revisionsOf(result),
    requestedRevisions: revisionsOf(requested),
    partial: list(requested["resources"]).length > 0,
    dryRun: requested["dryRun"] === true,
    images: [...new Set(list(result["resources"]).flatMap((resource) => texts(record(resource)["images"])))],
    ...decided("ofThisSpec", sameSources(spec, result)),
  };
}

function toResources(value: unknown): ApplicationSnapshot["resources"] {
  const found: ApplicationSnapshot["resources"] = [];
  for (const item of list(value)) {
    const resource = record(item);
    const sync = text(resource["status"]);
    const health = record(resource["health"]);
    const healthStatus = text(health["status"]);
    if ((sync === "Synced" || sync === "") && (healthStatus === "Healthy" || healthStatus === "")) continue;
    if (found.length === RESOURCE_LIMIT) break;
    found.push({
      kind: text(resource["kind"]),
      namespace: text(resource["namespace"]),
      name: text(resource["name"]),
      sync,
      ...given("health", health["status"]),
      ...given("message", text(health["message"], MESSAGE_LIMIT)),
    });
  }
  return found;
}

/** `{key: value}` when there is a value: absent fields stay absent. */
function given<K extends string>(key: K, value: unknown): { [P in K]?: string } {
  const read = optionalText(value, MESSAGE_LIMIT);
  const found: { [P in K]?: string } = {};
  if (read !== undefined) found[key] = read;
  return found;
}

function decided<K extends string>(key: K, value: boolean | undefined): { [P in K]?: boolean } {
  const found: { [P in K]?: boolean } = {};
  if (value !== undefined) found[key] = value;
  return found;
}
