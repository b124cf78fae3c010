import { z } from "zod";

/** What an in-toto statement says, and of which things. */
export interface Statement {
  subjects: { name: string; sha256: string }[];
  predicateType: string;
  predicate: unknown;
}

/** What SLSA provenance says of a build, in whichever of its versions. */
export interface Provenance {
  /** Undefined where it is not Tekton's. */
  kind: "taskrun" | "pipelinerun" | undefined;
  builder: string;
  buildType: string;
  /** What was built from; the repositories that the pipeline itself came from are not among them. */
  sources: { repository: string; commit: string }[];
  /** The run itself where it is named, and the PipelineRun that it was, or was part of. */
  runs: string[];
  /** Milliseconds since the epoch. */
  finishedAt: number | undefined;
}

const STATEMENT_TYPES = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"] as const;
export const SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1";
const V02 = "https://slsa.dev/provenance/v0.2";
const V1 = "https://slsa.dev/provenance/v1";
const UID_LABEL = "tekton.dev/pipelineRunUID";
const MAX_PARTS = 1_000;

/** Nobody's builder, type or address is longer. */
const text = z.string().max(2_048);
const digests = z.record(z.string(), z.string()).nullish();
const statement = z.object({
  _type: z.enum(STATEMENT_TYPES),
  subject: z.array(z.object({ name: z.string().nullish(), digest: digests })).max(MAX_PARTS),
  predicateType: z.string().max(500),
  predicate: z.unknown(),
});

const dependency = z.object({ uri: text.nullish(), name: text.nullish(), digest: digests });
const invocation = z.object({
  environment: z.object({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});
const v02 = z.object({
  builder: z.object({ id: text }),
  buildType: text,
  invocation: invocation.nullish(),
  buildConfig: z
    .looseObject({ tasks: z.array(z.looseObject({ invocation: invocation.nullish() })).nullish() })
    .nullish(),
  materials: z.array(dependency).max(MAX_PARTS).nullish(),
  metadata: z.object({ buildFinishedOn: z.string().nullish(), buildInvocationId: z.string().nullish() }).nullish(),
});
const v1 = z.object({
  buildDefinition: z.object({
    buildType: text,
    externalParameters: z.looseObject({ runSpec: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    internalParameters: z.looseObject({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
    resolvedDependencies: z.array(dependency).max(MAX_PARTS).nullish(),
  }),
  runDetails: z.object({
    builder: z.object({ id: text }),
    metadata: z.object({ invocationId: z.string().nullish(), finishedOn: z.string().nullish() }).nullish(),
  }),
});

/** Undefined for what is no statement. */
export function parseStatement(payload: Buffer): Statement | undefined {
  const parsed = statement.safeParse(jsonOf(payload));
  if (!parsed.success) return undefined;
  const { subject, predicateType, predicate } = parsed.data;
  const subjects = subject.map(({ name, digest }) => ({ name: name ?? "", sha256: digest?.["sha256"] ?? "" }));
  return { subjects, predicateType, predicate };
}

export function isProvenance(predicateType: string): boolean {
  return predicateType === V02 || predicateType === V1;
}

/** Undefined when the predicate is not what its type says. */
export function parseProvenance({ predicateType, predicate }: Statement): Provenance | undefined {
  return predicateType === V1 ? ofVersion1(predicate) : ofVersion02(predicate);
}

/** Tekton Chains `slsa/v1` and `in-toto`: the kind is the end of the build type, the run is in the labels. */
function ofVersion02(predicate: unknown): Provenance | undefined {
  const parsed = v02.safeParse(predicate);
  if (!parsed.success) return undefined;
  const { builder, buildType, materials, metadata, buildConfig, invocation: own } = parsed.data;
  const kind = /\/(TaskRun|PipelineRun)$/.exec(buildType)?.[1]?.toLowerCase();
  const invocations = [own, ...(buildConfig?.tasks ?? []).map((task) => task.invocation)];
  const labels = invocations.map((one) => one?.environment?.labels?.[UID_LABEL]);
  return {
    kind: kind === "taskrun" || kind === "pipelinerun" ? kind : undefined,
    builder: builder.id,
    buildType,
    sources: sourcesOf(materials ?? []),
    runs: unique([metadata?.buildInvocationId, ...labels]),
    finishedAt: timeOf(metadata?.buildFinishedOn),
  };
}

/** Tekton Chains `slsa/v2alpha3` and `v2alpha4`: the kind shows in the run's spec, `invocationId` is the run's uid. */
function ofVersion1(predicate: unknown): Provenance | undefined {
  const parsed = v1.safeParse(predicate);
  if (!parsed.success) return undefined;
  const { buildDefinition, runDetails } = parsed.data;
  const { metadata, builder } = runDetails;
  return {
    kind: kindOf(buildDefinition.externalParameters?.runSpec ?? {}),
    builder: builder.id,
    buildType: buildDefinition.buildType,
    sources: sourcesOf(buildDefinition.resolvedDependencies ?? []),
    runs: unique([metadata?.invocationId, buildDefinition.internalParameters?.labels?.[UID_LABEL]]),
    finishedAt: timeOf(metadata?.finishedOn),
  };
}

function kindOf(runSpec: Record<string, unknown>): Provenance["kind"] {
  const isPipeline = "pipelineRef" in runSpec || "pipelineSpec" in runSpec;
  const isTask = "taskRef" in runSpec || "taskSpec" in runSpec;
  if (isPipeline === isTask) return undefined;
  return isPipeline ? "pipelinerun" : "taskrun";
}

/** Where the definitions of pipeline and tasks came from; that they are in our repository says nothing of what was built. */
const DEFINITIONS = new Set(["pipeline", "pipelineTask", "task"]);

function sourcesOf(dependencies: readonly z.output<typeof dependency>[]): Provenance["sources"] {
  return dependencies.flatMap(({ uri, name, digest }) => {
    const address = /^git\+(.+)$/.exec(uri ?? "")?.[1];
    const commit = digest?.["sha1"] ?? digest?.["gitCommit"] ?? digest?.["sha256"];
    if (address === undefined || commit === undefined || DEFINITIONS.has(name ?? "")) return [];
    // SPDX's form may name a ref behind the path: git+https://host/path@refs/heads/main
    return [{ repository: address.replace(/(\/[^/@]+)@[^@]*$/, "$1"), commit }];
  });
}

function timeOf(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function unique(values: readonly (string | null | undefined)[]): string[] {
  return [...new Set(values.filter((value): value is string => typeof value === "string" && value !== ""))];
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
