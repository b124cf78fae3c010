/** What Tekton's controllers have in common: they are Knative controllers, run here as host processes. */
import { at, Kube, type Manifest } from "../kube.ts";
import { NODE_ADDRESS, places } from "../places.ts";
import { isUp, start, waitFor } from "../supervisor.ts";
import { serviceAccountKubeconfig } from "./service-accounts.ts";

export interface Controller {
  name: string;
  namespace: string;
  account: string;
  command: readonly string[];
  leaderElection: string;
  /** Probes on this port, metrics on the next, profiling on the one after. */
  port: number;
  env?: Readonly<Record<string, string>>;
}

export async function startController(controller: Controller): Promise<void> {
  if (isUp(controller.name)) return;
  const { namespace, port } = controller;
  start({
    name: controller.name,
    command: controller.command,
    env: {
      KUBECONFIG: await serviceAccountKubeconfig(namespace, controller.account),
      SYSTEM_NAMESPACE: namespace,
      KUBERNETES_MIN_VERSION: "v1.28.0",
      METRICS_DOMAIN: "tekton.dev/e2e",
      CONFIG_DEFAULTS_NAME: "config-defaults",
      CONFIG_LOGGING_NAME: "config-logging",
      CONFIG_OBSERVABILITY_NAME: "config-observability",
      CONFIG_FEATURE_FLAGS_NAME: "feature-flags",
      CONFIG_LEADERELECTION_NAME: controller.leaderElection,
      CONFIG_SPIRE: "config-spire",
      PROBES_PORT: String(port),
      METRICS_PROMETHEUS_PORT: String(port + 1),
      PROFILING_PORT: String(port + 2),
      ...controller.env,
    },
  });
}

/** A Service without selector, whose endpoint is a host process: the API server dials it for admission. */
export function webhookService(name: string, namespace: string, port: number): Manifest[] {
  const ports = [{ name: "https-webhook", port: 443, targetPort: port }];
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-host`, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "https-webhook", port, protocol: "TCP" }],
      endpoints: [{ addresses: [NODE_ADDRESS], conditions: { ready: true } }],
    },
  ];
}

/** With a webhook's process gone not even ConfigMaps can be applied (failurePolicy Fail): its registrations go first. */
export async function forgetWebhooks(partOf: string): Promise<void> {
  const kube = new Kube(places.kubeconfig);
  for (const kind of ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]) {
    const apiVersion = "admissionregistration.k8s.io/v1";
    for (const found of await kube.list(apiVersion, kind, `app.kubernetes.io/part-of=${partOf}`)) {
      await kube.remove({ apiVersion, kind, metadata: { name: found.metadata?.name ?? "" } });
    }
  }
}

/** A process that was killed keeps its lease for a minute; where none of them runs, nobody holds one. */
export async function forgetLeases(namespace: string): Promise<void> {
  const kube = new Kube(places.kubeconfig, namespace);
  for (const lease of await kube.list("coordination.k8s.io/v1", "Lease")) {
    await kube.remove({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: lease.metadata?.name ?? "" },
    });
  }
}

/** Until the webhook's process has put its certificate into the registration. */
export async function webhookReady(processName: string, registration: string): Promise<void> {
  const kube = new Kube(places.kubeconfig);
  const kind = "MutatingWebhookConfiguration";
  await waitFor(`certificate of ${registration}`, [processName], async () => {
    const found = await kube.read({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind,
      metadata: { name: registration },
    });
    return at(found, "webhooks", 0, "clientConfig", "caBundle") !== undefined;
  });
}
