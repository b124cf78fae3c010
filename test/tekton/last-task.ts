import { readFileSync } from "node:fs";
import type { FakeKubernetesApi, Review, StoredRun } from "../fakes/kubernetes-api.ts";
import { recordedRun, recordedRuns } from "./recordings.ts";
import { SOURCE } from "./samples.ts";

/** The recorded run `good-s8z86` (build, test, gitops-bump) while its last task is going on, as the API server has it. */
export interface LastTask {
  run: StoredRun & { status: Record<string, unknown> };
  /** By the name of the pipeline task. */
  tasks: Record<"build" | "test" | "gitops-bump", StoredRun & { status: Record<string, unknown> }>;
  pod: StoredRun & { spec: Record<string, unknown> };
  /** The token of the Pod's volume; its Pod, service account and audience are the recorded ones. */
  token: string;
}

export const AUDIENCE = "gitspan";
export const RUN = { namespace: "demo", name: "good-s8z86", uid: "8ce0978f-25f7-4ad9-9297-9699142f2277" };

export function recordedReview(name: string): Review {
  const rows = golden("token-reviews.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { case: string; status: Record<string, unknown> });
  const row = rows.find((each) => each.case === name);
  if (row === undefined) throw new Error(`there is no recorded TokenReview ${name}`);
  // Recorded with a configuration that had another audience.
  const status = JSON.parse(JSON.stringify(row.status).replaceAll("gitops-bridge", AUDIENCE)) as Review["status"];
  return { audience: AUDIENCE, status };
}

export function lastTask(): LastTask {
  const run = structuredClone(recordedRun("pipelinerun-successful")) as unknown as LastTask["run"];
  run.metadata["annotations"] = {
    "gitspan.dev/source-repository": SOURCE,
    "gitspan.dev/source-ref": "refs/heads/main",
  };
  const { results: _results, completionTime: _time, ...status } = run.status;
  run.status = { ...status, conditions: [running()] };
  const found = recordedRuns("runs").filter(({ file }) => file === "pipelinerun-successful-taskruns.json");
  const taskOf = (task: string) =>
    structuredClone(
      found.find(({ run: each }) => each.metadata?.["name"] === `good-s8z86-${task}`)?.run,
    ) as never as LastTask["run"];
  const tasks = { build: taskOf("build"), test: taskOf("test"), "gitops-bump": taskOf("gitops-bump") };
  tasks["gitops-bump"].status = { ...tasks["gitops-bump"].status, conditions: [running()] };
  const pod = JSON.parse(golden("pod-of-the-last-task.json")) as LastTask["pod"];
  return { run, tasks, pod, token: aToken() };
}

/** Puts all of it into the API server, with the review of the token. */
export function store(api: FakeKubernetesApi, task: LastTask): void {
  api.put(task.run, ...Object.values(task.tasks), task.pod);
  api.reviews.set(task.token, recordedReview("bound-to-a-pod"));
}

/** A token with these claims; nobody checks its signature but the API server. */
export function aToken(claims: Record<string, unknown> = {}): string {
  const all = {
    iss: "https://kubernetes.default.svc.cluster.local",
    aud: [AUDIENCE],
    exp: Math.floor(Date.now() / 1_000) + 600,
    sub: "system:serviceaccount:demo:gitops-bump",
    ...claims,
  };
  const parts = [{ alg: "RS256", kid: "k" }, all].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return `${parts.join(".")}.${Buffer.from("signature").toString("base64url")}`;
}

export function running(): Record<string, unknown> {
  return { type: "Succeeded", status: "Unknown", reason: "Running" };
}

export function failed(reason = "Failed"): Record<string, unknown> {
  return { type: "Succeeded", status: "False", reason };
}

function golden(file: string): string {
  return readFileSync(new URL(`../golden/tekton/${file}`, import.meta.url), "utf8");
}
