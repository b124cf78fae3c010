/** What the API server says of tokens: bound to a Pod and not, for another audience, forged, of a Pod that is gone. */
import { at, Kube, type Manifest } from "../cluster/kube.ts";
import { environment, until } from "../fixtures/environment.ts";

const AUDIENCE = "gitspan";
/** For as long the API server may still know a token whose Pod is gone. */
const CACHE_MS = 11_000;

export interface TokenReview {
  case: string;
  audiences: string[];
  status: unknown;
}

export async function tokenReviews(namespace: string): Promise<TokenReview[]> {
  const kube = new Kube(environment.kubeconfig, namespace);
  const pod = await runPod(kube);
  const bound = await kube.token("default", [AUDIENCE], pod);
  const unbound = await kube.token("default", [AUDIENCE]);
  const review = async (name: string, token: string, audiences: string[]): Promise<TokenReview> => {
    const spec = { token, audiences };
    const answer = await kube.create({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec });
    return { case: name, audiences, status: at(answer, "status") };
  };
  const reviews = [
    await review("bound-to-a-pod", bound, [AUDIENCE]),
    await review("another-audience", bound, ["somebody-else"]),
    await review("no-audience-asked", bound, []),
    await review("not-bound-to-a-pod", unbound, [AUDIENCE]),
    await review("forged-signature", `${bound.slice(0, -8)}AAAAAAAA`, [AUDIENCE]),
  ];
  await kube.remove({ apiVersion: "v1", kind: "Pod", metadata: { name: String(pod.metadata?.name) } });
  await new Promise((resolve) => {
    setTimeout(resolve, CACHE_MS);
  });
  return [...reviews, await review("pod-is-gone", bound, [AUDIENCE])];
}

async function runPod(kube: Kube): Promise<Manifest> {
  const reference = { apiVersion: "v1", kind: "Pod", metadata: { name: "caller" } };
  const containers = [{ name: "caller", image: environment.busybox, command: ["sleep", "300"] }];
  await kube.apply({ ...reference, spec: { hostNetwork: true, terminationGracePeriodSeconds: 0, containers } });
  return await until("the caller's Pod runs", async () => {
    const pod = await kube.read(reference);
    return at(pod, "status", "phase") === "Running" ? pod : undefined;
  });
}
