/** Tekton Pipelines: webhook, controller and events controller as host processes, its helper programs as images. */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { Kube, manifestsOf } from "../kube.ts";
import { places } from "../places.ts";
import { flags, isUp, step, waitFor } from "../supervisor.ts";
import { forgetLeases, forgetWebhooks, startController, webhookReady, webhookService } from "./knative.ts";
import { BUSYBOX, pushMissing, reference } from "./registry.ts";

export const TEKTON_NAMESPACE = "tekton-pipelines";
const HELPERS = ["entrypoint", "nop", "workingdirinit", "sidecarlogresults"];
const REGISTRATION = "webhook.pipeline.tekton.dev";
const SERVICE = "tekton-pipelines-webhook";
const WEBHOOK_PORT = 9443;
export const KANIKO = "base/kaniko:e2e";

export async function startTekton(): Promise<void> {
  await step("Tekton images", pushImages);
  await step("Tekton definitions, RBAC, configuration", applyManifests);
  await step("Tekton webhook, controller, events controller", startProcesses);
}

function pushImages(): void {
  for (const name of HELPERS) {
    pushMissing({
      name: `tekton/${name}:e2e`,
      fill: (root) => place(root, "ko-app", program("pipeline", name)),
      entrypoint: [`/ko-app/${name}`],
    });
  }
  pushMissing({
    name: KANIKO,
    fill: (root) => {
      place(root, "kaniko", program("kaniko", "executor"));
      for (const folder of ["kaniko/ssl/certs", "root", "workspace"])
        mkdirSync(path.join(root, folder), { recursive: true });
    },
    entrypoint: ["/kaniko/executor"],
    env: {
      HOME: "/root",
      USER: "root",
      PATH: "/usr/local/bin:/kaniko",
      SSL_CERT_DIR: "/kaniko/ssl/certs",
      DOCKER_CONFIG: "/kaniko/.docker/",
    },
    workdir: "/workspace",
  });
}

function place(root: string, folder: string, file: string): void {
  mkdirSync(path.join(root, folder), { recursive: true });
  mkdirSync(path.join(root, "tmp"), { recursive: true, mode: 0o1777 });
  cpSync(file, path.join(root, folder, path.basename(file)));
}

async function applyManifests(): Promise<void> {
  if (isUp("tekton-webhook")) return;
  await forgetWebhooks("tekton-pipelines");
  const config = asset("pipeline", "config");
  const files = readdirSync(config).filter((file) =>
    /^(100-namespace|300-crds|20.*\.yaml|config-.*\.yaml)$/.test(file),
  );
  const kube = new Kube(places.kubeconfig, TEKTON_NAMESPACE);
  await kube.apply(...manifestsOf(...files.map((file) => path.join(config, file))));
  await kube.apply(...webhookService(SERVICE, TEKTON_NAMESPACE, WEBHOOK_PORT));
  // There is no Pod network, and one TaskRun must not wait for another's volume.
  await configure("config-defaults", {
    "default-pod-template": "hostNetwork: true\n",
    "default-timeout-minutes": "10",
  });
  await configure("feature-flags", { coschedule: "disabled" });
  await kube.apply(...manifestsOf(path.join(config, "500-webhooks.yaml")));
}

export async function configure(configMap: string, data: Readonly<Record<string, string>>): Promise<void> {
  const kube = new Kube(places.kubeconfig, TEKTON_NAMESPACE);
  await kube.merge({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: configMap, namespace: TEKTON_NAMESPACE },
    data,
  });
}

async function startProcesses(): Promise<void> {
  if (!isUp("tekton-webhook") && !isUp("tekton-controller") && !isUp("tekton-events"))
    await forgetLeases(TEKTON_NAMESPACE);
  const common = { namespace: TEKTON_NAMESPACE };
  await startController({
    ...common,
    name: "tekton-webhook",
    account: "tekton-pipelines-webhook",
    command: [program("pipeline", "webhook")],
    leaderElection: "config-leader-election-webhook",
    port: 9101,
    env: {
      WEBHOOK_PORT: String(WEBHOOK_PORT),
      WEBHOOK_SERVICE_NAME: SERVICE,
      WEBHOOK_SECRET_NAME: "webhook-certs",
      WEBHOOK_ADMISSION_CONTROLLER_NAME: REGISTRATION,
    },
  });
  await startController({
    ...common,
    name: "tekton-controller",
    account: "tekton-pipelines-controller",
    command: [
      program("pipeline", "controller"),
      ...flags({
        "disable-ha": true,
        ...Object.fromEntries(HELPERS.map((name) => [`${name}-image`, reference(`tekton/${name}:e2e`)])),
        "shell-image": reference(BUSYBOX),
        "shell-image-win": "none",
      }),
    ],
    leaderElection: "config-leader-election-controller",
    port: 9111,
  });
  await startController({
    ...common,
    name: "tekton-events",
    account: "tekton-events-controller",
    command: [program("pipeline", "events")],
    leaderElection: "config-leader-election-events",
    port: 9121,
  });
  await webhookReady("tekton-webhook", REGISTRATION);
  await waitFor("admission of a Task", ["tekton-webhook", "tekton-controller", "tekton-events"], admitsTasks);
}

async function admitsTasks(): Promise<boolean> {
  const steps = [{ name: "probe", image: "probe", script: "true" }];
  const task = { apiVersion: "tekton.dev/v1", kind: "Task", metadata: { name: "probe" }, spec: { steps } };
  const kube = new Kube(places.kubeconfig);
  await kube.apply(task);
  await kube.remove(task);
  return true;
}
