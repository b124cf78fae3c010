/** Tekton Triggers: webhook, controller and interceptors as host processes; EventListeners likewise. */
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { at, Kube, manifestsOf } from "../kube.ts";
import { places, stateFile } from "../places.ts";
import { answers, flags, isUp, start, step, stop, waitFor } from "../supervisor.ts";
import { forgetWebhooks, startController, webhookReady, webhookService } from "./knative.ts";
import { reference } from "./registry.ts";
import { serviceAccountKubeconfig } from "./service-accounts.ts";
import { TEKTON_NAMESPACE } from "./tekton.ts";

const REGISTRATION = "webhook.triggers.tekton.dev";
const WEBHOOK = "tekton-triggers-webhook";
const INTERCEPTORS = "tekton-triggers-core-interceptors";
const WEBHOOK_PORT = 9444;
const env = {
  CONFIG_LOGGING_NAME: "config-logging-triggers",
  CONFIG_OBSERVABILITY_NAME: "config-observability-triggers",
  CONFIG_DEFAULTS_NAME: "config-defaults-triggers",
  CONFIG_FEATURE_FLAGS_NAME: "feature-flags-triggers",
};

export async function startTriggers(): Promise<void> {
  await step("Triggers definitions, RBAC, configuration", applyManifests);
  await step("Triggers webhook, controller, interceptors", startProcesses);
}

function config(...parts: string[]): string {
  return asset("triggers", path.join("config", ...parts));
}

async function applyManifests(): Promise<void> {
  if (isUp("triggers-webhook")) return;
  await forgetWebhooks("tekton-triggers");
  const kube = new Kube(places.kubeconfig, TEKTON_NAMESPACE);
  const files = readdirSync(config()).filter((file) => /^(300-.*|20.*|config-.*)\.yaml$/.test(file));
  await kube.apply(...manifestsOf(...files.map((file) => config(file))));
  if (!isUp("triggers-interceptors"))
    await kube.apply(...manifestsOf(config("interceptors/00-interceptor-secrets.yaml")));
  await kube.apply(...webhookService(WEBHOOK, TEKTON_NAMESPACE, WEBHOOK_PORT));
  await kube.apply(...manifestsOf(config("500-webhooks.yaml")));
}

async function startProcesses(): Promise<void> {
  const common = { namespace: TEKTON_NAMESPACE };
  await startController({
    ...common,
    name: "triggers-webhook",
    account: WEBHOOK,
    command: [program("triggers", "webhook")],
    leaderElection: "config-leader-election-triggers-webhook",
    port: 9131,
    env: {
      ...env,
      WEBHOOK_PORT: String(WEBHOOK_PORT),
      WEBHOOK_SERVICE_NAME: WEBHOOK,
      WEBHOOK_SECRET_NAME: "triggers-webhook-certs",
      WEBHOOK_ADMISSION_CONTROLLER_NAME: REGISTRATION,
    },
  });
  await startController({
    ...common,
    name: "triggers-controller",
    account: "tekton-triggers-controller",
    command: [
      program("triggers", "controller"),
      "-el-image",
      reference("tekton/eventlistenersink:e2e"),
      ...listenerFlags,
    ],
    leaderElection: "config-leader-election-triggers-controllers",
    port: 9151,
    // Its port is fixed in the code.
    env: { ...env, METRICS_PROMETHEUS_PORT: "9000" },
  });
  await webhookReady("triggers-webhook", REGISTRATION);
  const kube = new Kube(places.kubeconfig, TEKTON_NAMESPACE);
  // ClusterInterceptors go through the webhook.
  const interceptors = manifestsOf(config("interceptors/core-interceptors.yaml"));
  await waitFor("admission of ClusterInterceptors", ["triggers-webhook"], async () => {
    await kube.apply(...interceptors);
    return true;
  });
  // Last: it writes its certificate into them when it starts, and then only once a minute.
  await startController({
    ...common,
    name: "triggers-interceptors",
    account: INTERCEPTORS,
    command: [program("triggers", "interceptors")],
    leaderElection: "none",
    port: 9141,
    env: { ...env, INTERCEPTOR_TLS_SVC_NAME: INTERCEPTORS, INTERCEPTOR_TLS_SECRET_NAME: `${INTERCEPTORS}-certs` },
  });
  await waitFor(
    "certificates of ClusterInterceptors",
    ["triggers-interceptors", "triggers-controller"],
    async () => {
      const all = await kube.list("triggers.tekton.dev/v1alpha1", "ClusterInterceptor");
      return all.every((one) => at(one, "spec", "clientConfig", "caBundle") !== undefined);
    },
    90,
  );
}

/** As in upstream's Deployment of the controller. */
const listenerFlags = flags({
  "el-port": 8080,
  "el-security-context": true,
  "el-read-only-root-filesystem": true,
  "el-events": "disable",
  "el-readtimeout": 5,
  "el-writetimeout": 40,
  "el-idletimeout": 120,
  "el-timeouthandler": 30,
  "el-httpclient-readtimeout": 30,
  "el-httpclient-keep-alive": 30,
  "el-httpclient-tlshandshaketimeout": 10,
  "el-httpclient-responseheadertimeout": 10,
  "el-httpclient-expectcontinuetimeout": 1,
  "period-seconds": 10,
  "failure-threshold": 3,
});

/** Runs an EventListener as a host process, with the arguments and variables of the Deployment that the controller made for it. */
export async function startEventListener(namespace: string, name: string, port: number): Promise<void> {
  const kube = new Kube(places.kubeconfig, namespace);
  const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: `el-${name}`, namespace } };
  await waitFor(
    `Deployment el-${name}`,
    ["triggers-controller"],
    async () => (await kube.find(deployment)) !== undefined,
  );
  // The controller keeps what the Deployment has when the EventListener names no number.
  await kube.merge({ ...deployment, spec: { replicas: 0 } });
  const pod = at(await kube.read(deployment), "spec", "template", "spec");
  const container = at(pod, "containers", 0);
  const account = String(at(pod, "serviceAccountName"));
  const hosts = stateFile("config/hosts");
  writeFileSync(hosts, `127.0.0.1 localhost ${INTERCEPTORS}.${TEKTON_NAMESPACE}.svc\n`);
  const args = strings(at(container, "args")).map((arg) => (arg.startsWith("--port=") ? `--port=${port}` : arg));
  // There is no DNS: a hosts file of its own, in a mount namespace of its own.
  const mount = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
  const inside = 'mount --bind "$1" /etc/hosts; shift; exec "$@"';
  start({
    name: `event-listener-${name}`,
    command: [...mount, inside, "sh", hosts, program("triggers", "eventlistenersink"), ...args],
    env: {
      ...variables(at(container, "env")),
      SYSTEM_NAMESPACE: namespace,
      KUBECONFIG: await serviceAccountKubeconfig(namespace, account),
      METRICS_PROMETHEUS_PORT: "9162",
    },
  });
  await waitFor(`EventListener ${name}`, [`event-listener-${name}`], () => answers(`http://127.0.0.1:${port}/live`));
}

export async function stopEventListener(name: string): Promise<void> {
  await stop(`event-listener-${name}`);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function variables(value: unknown): Record<string, string> {
  const given = Array.isArray(value) ? value.filter((one) => at(one, "value") !== undefined) : [];
  return Object.fromEntries(given.map((one) => [String(at(one, "name")), String(at(one, "value"))]));
}
