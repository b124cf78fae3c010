import { isRecord, list, optionalText, record, text, texts, type Untrusted } from "../kubernetes/untrusted.ts";
import type { RunKind } from "./cloud-event.ts";

export type RunState = "queued" | "unknown" | "running" | "succeeded" | "failed" | "cancelled" | "timed-out";

/** One result as the run has it; strings are trimmed, because real ones end with the newline that `echo` wrote. */
export interface RunResult {
  name: string;
  value: string | string[] | Readonly<Record<string, string>>;
}

/** What gitspan wants to know of a PipelineRun or TaskRun, whether it came as v1 or as v1beta1. */
export interface TektonRun {
  kind: RunKind;
  namespace: string;
  name: string;
  uid: string;
  state: RunState;
  /** Tekton's word for it: `PipelineRunTimeout`. */
  reason: string;
  /** Milliseconds since the epoch. */
  finishedAt?: number;
  /** The PipelineRun that this run is a part of. */
  parent?: string;
  annotations: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** String parameters of the run itself. */
  params: ReadonlyMap<string, string>;
  results: RunResult[];
  /** Where the definition of the Pipeline or Task came from: not the source of the build. */
  definition?: { uri: string; commit: string };
}

/** A result of 4096 bytes is the default limit, larger ones come by sidecar logs. */
const MAX_VALUE = 100_000;
const CANCELLED = /Cancel|^Stopped/;
const TIMED_OUT = /Timeout|TimedOut/;

/** Reads a run. Never throws: what is missing or odd is empty. */
export function readRun(kind: RunKind, object: Untrusted): TektonRun {
  const metadata = record(object["metadata"]);
  const spec = record(object["spec"]);
  const status = record(object["status"]);
  const condition = record(list(status["conditions"]).find((each) => record(each)["type"] === "Succeeded"));
  const labels = stringsOf(metadata["labels"]);
  const run: TektonRun = {
    kind,
    namespace: text(metadata["namespace"]),
    name: text(metadata["name"]),
    uid: text(metadata["uid"]),
    state: stateOf(condition),
    reason: text(condition["reason"]),
    annotations: stringsOf(metadata["annotations"]),
    labels,
    params: paramsOf(spec["params"]),
    results: resultsOf(status),
  };
  const finishedAt = Date.parse(text(status["completionTime"]) || text(condition["lastTransitionTime"]));
  if (isFinished(run.state) && Number.isFinite(finishedAt) && finishedAt >= 0) run.finishedAt = finishedAt;
  const parent = parentOf(kind, metadata, labels);
  if (parent !== undefined) run.parent = parent;
  const definition = definitionOf(status);
  if (definition !== undefined) run.definition = definition;
  return run;
}

export function isFinished(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled" || state === "timed-out";
}

/** pkg/apis/pipeline/v1 of Tekton: True has the reasons Succeeded and Completed, False a reason per way to fail. */
function stateOf(condition: Untrusted): RunState {
  const reason = text(condition["reason"]);
  switch (condition["status"]) {
    case "True":
      return "succeeded";
    case "False":
      if (CANCELLED.test(reason)) return "cancelled";
      return TIMED_OUT.test(reason) ? "timed-out" : "failed";
    case "Unknown":
      return reason === "Running" || reason === "Started" ? "running" : "unknown";
    default:
      return "queued";
  }
}

/** A run that a PipelineRun made: its success is no success of the whole, the tests may still fail. */
function parentOf(kind: RunKind, metadata: Untrusted, labels: Readonly<Record<string, string>>): string | undefined {
  const owners = list(metadata["ownerReferences"]).map(record);
  const owner = owners.find((each) => each["kind"] === "PipelineRun" || each["kind"] === "CustomRun");
  if (owner !== undefined) return text(owner["name"]) || "unknown";
  const label = labels["tekton.dev/pipelineRun"];
  if (kind === "PipelineRun" && label === text(metadata["name"])) return undefined;
  return label === "" ? undefined : label;
}

/** v1: `status.results`; v1beta1: `pipelineResults` and `taskResults`. */
function resultsOf(status: Untrusted): RunResult[] {
  const lists = [status["results"], status["pipelineResults"], status["taskResults"]].map(list);
  const results = lists.find((each) => each.length > 0) ?? [];
  return results.map(record).flatMap((result) => {
    const [name, value] = [text(result["name"]), valueOf(result["value"])];
    return name === "" || value === undefined ? [] : [{ name, value }];
  });
}

function valueOf(value: unknown): RunResult["value"] | undefined {
  if (typeof value === "string") return text(value, MAX_VALUE).trim();
  if (Array.isArray(value)) return texts(value).map((item) => item.trim());
  return isRecord(value) ? stringsOf(value) : undefined;
}

function paramsOf(params: unknown): ReadonlyMap<string, string> {
  return new Map(
    list(params)
      .map(record)
      .map((param) => [text(param["name"]), text(param["value"]).trim()]),
  );
}

function definitionOf(status: Untrusted): TektonRun["definition"] {
  const refSource = record(record(status["provenance"])["refSource"]);
  const uri = optionalText(refSource["uri"]);
  const commit = optionalText(record(refSource["digest"])["sha1"]);
  return uri === undefined || commit === undefined ? undefined : { uri, commit };
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record(value)).flatMap(([key, each]) =>
      typeof each === "string" ? [[key, text(each, MAX_VALUE).trim()]] : [],
    ),
  );
}
