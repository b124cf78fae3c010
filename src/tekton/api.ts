import type { Readable } from "node:stream";
import type { KubernetesLocation } from "../kubernetes/access.ts";
import { openKubernetesClient } from "../kubernetes/client.ts";
import { record, type Untrusted } from "../kubernetes/untrusted.ts";

export interface RunName {
  kind: "PipelineRun" | "TaskRun";
  namespace: string;
  name: string;
}

/** Reads runs where they are kept. */
export interface RunReader {
  /** The run as it is now; undefined when there is none. Errors: `kubernetes-unavailable`, `kubernetes-forbidden`. */
  read(run: RunName, signal: AbortSignal): Promise<Untrusted | undefined>;
}

/** What gitspan asks the API server of a cluster with Tekton. Errors as those of `read`. */
export interface TektonApi extends RunReader {
  pod(pod: { namespace: string; name: string }, signal: AbortSignal): Promise<Untrusted | undefined>;
  /** What the API server says of a token (`status` of a TokenReview). */
  review(token: { token: string; audience: string }, signal: AbortSignal): Promise<Untrusted>;
  /** A list or watch of PipelineRuns; undefined: of all namespaces. */
  pipelineRuns(
    namespace: string | undefined,
    query: Record<string, string | undefined>,
    signal: AbortSignal,
  ): Promise<Readable>;
}

const TEKTON = "/apis/tekton.dev/v1";
const TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews";
const RIGHTS =
  "The account needs the right to get pipelineruns and taskruns of tekton.dev and pods in the namespaces of the runs, " +
  "to list and watch pipelineruns where they are watched, and to create tokenreviews (docs/tekton.md, Rights).";

/** Rejects with `config-invalid` when there is no way to the API server. `cluster` is the name in the configuration. */
export async function openTektonApi(location: KubernetesLocation, cluster: string): Promise<TektonApi> {
  const client = await openKubernetesClient(location, { setting: `tekton.${cluster}.kubernetes`, rights: RIGHTS });
  return {
    read: (run, signal) => client.read({ ...run, group: TEKTON, resource: `${run.kind.toLowerCase()}s` }, signal),
    pod: (pod, signal) => client.read({ ...pod, kind: "Pod", group: "/api/v1", resource: "pods" }, signal),
    async review({ token, audience }, signal) {
      const body = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, audiences: [audience] },
      };
      const { status } = await client.create({ path: TOKEN_REVIEWS, body }, signal);
      return record(status);
    },
    pipelineRuns(namespace, query, signal) {
      const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
      return client.open({ path: `${TEKTON}${scope}/pipelineruns`, query }, signal);
    },
  };
}
