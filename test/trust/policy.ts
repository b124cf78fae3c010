import type { TrustPolicy } from "../../src/model/trust.ts";

/** What Tekton Chains writes, and nothing else; each test says what is different. */
export function aPolicy(over: Partial<TrustPolicy> = {}): TrustPolicy {
  return {
    keyFiles: ["cosign.pub"],
    signature: true,
    provenance: "pipelinerun",
    builders: ["https://tekton.dev/chains/v2"],
    buildTypes: ["tekton.dev/v1*/PipelineRun", "tekton.dev/v1*/TaskRun", "https://tekton.dev/chains/v2/slsa*"],
    matchSource: true,
    matchRun: true,
    waitMs: 60_000,
    ...over,
  };
}
