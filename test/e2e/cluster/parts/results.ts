/** Tekton Results: API (REST and gRPC) and watcher as host processes, on the profile's PostgreSQL. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { Kube, parseManifests } from "../kube.ts";
import { pki } from "../pki.ts";
import { addresses, POSTGRES_ADDRESS, places, stateFile } from "../places.ts";
import { isUp, start, step, waitFor } from "../supervisor.ts";
import { createDatabase, postgresConnection } from "./postgres.ts";
import { TEKTON_NAMESPACE } from "./tekton.ts";

const tls = stateFile("results/tls");
export const resultsCa = path.join(tls, "tls.crt");
const DATABASE = "results";
const KINDS = /^(ServiceAccount|ClusterRole|ClusterRoleBinding|Role|RoleBinding|ConfigMap)$/;
/** Both believe that they run in a Pod: the account's files must be at their usual place, in a mount namespace of their own. */
const IN_POD = `mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$1" /run/secrets/kubernetes.io/serviceaccount &&
shift && exec "$@"`;

export async function startResults(): Promise<void> {
  await step("Results", async () => {
    createCertificate();
    await createDatabase(DATABASE);
    if (!isUp("results-api")) await applyManifests();
    await startApi();
    await startWatcher();
  });
}

async function applyManifests(): Promise<void> {
  const overlay = asset("results", "config/overlays/base-only");
  const built = execFileSync(program("kubernetes", "kubectl"), ["kustomize", overlay], { encoding: "utf8" });
  const wanted = parseManifests(built).filter(({ kind }) => KINDS.test(kind ?? ""));
  await new Kube(places.kubeconfig, TEKTON_NAMESPACE).apply(...wanted);
}

/** As tasks/results/README.md advises: with the defaults of either, twenty runs that end together are stored minutes later. */
const SPEED_OF_API = { K8S_QPS: "100", K8S_BURST: "200", GRPC_WORKER_POOL: "16" };
const SPEED_OF_WATCHER = ["-qps=50", "-burst=100", "-threadiness=16"];

async function startApi(): Promise<void> {
  const { user, password } = postgresConnection(DATABASE);
  mkdirSync(stateFile("results/logs"), { recursive: true });
  await startInPod("results-api", "tekton-results-api", [program("results", "api")], {
    DB_USER: user,
    DB_PASSWORD: password,
    DB_HOST: POSTGRES_ADDRESS.host,
    DB_PORT: String(POSTGRES_ADDRESS.port),
    DB_NAME: DATABASE,
    SERVER_PORT: new URL(addresses.results).port,
    PROMETHEUS_PORT: "9190",
    TLS_PATH: tls,
    ...SPEED_OF_API,
    LOGS_API: "true",
    LOGS_TYPE: "File",
    LOGS_PATH: stateFile("results/logs"),
  });
  const probe = ["-sf", "--max-time", "2", "--cacert", resultsCa, `${addresses.results}/healthz`];
  await waitFor("Results API", ["results-api"], () => execFileSync("curl", probe, { stdio: "ignore" }) === null);
}

async function startWatcher(): Promise<void> {
  const api = new URL(addresses.results).host;
  const flags = ["-api_addr", api, "-auth_mode", "token", "-logs_api=true", "-disable-ha", "-forward_buffer", "0s"];
  await startInPod(
    "results-watcher",
    "tekton-results-watcher",
    [program("results", "watcher"), ...flags, ...SPEED_OF_WATCHER],
    {
      SYSTEM_NAMESPACE: TEKTON_NAMESPACE,
      KUBERNETES_MIN_VERSION: "v1.28.0",
      METRICS_DOMAIN: "tekton.dev/results",
      SSL_CERT_FILE: resultsCa,
      CONFIG_LOGGING_NAME: "tekton-results-config-logging",
      CONFIG_LEADERELECTION_NAME: "tekton-results-config-leader-election",
      CONFIG_OBSERVABILITY_NAME: "tekton-results-config-observability",
      PROBES_PORT: "9181",
      METRICS_PROMETHEUS_PORT: "9182",
      PROFILING_PORT: "9183",
    },
  );
}

async function startInPod(
  name: string,
  account: string,
  command: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  if (isUp(name)) return;
  const files = stateFile("results", name);
  mkdirSync(files, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(files, "token"), await new Kube(places.kubeconfig, TEKTON_NAMESPACE).token(account));
  writeFileSync(path.join(files, "namespace"), TEKTON_NAMESPACE);
  copyFileSync(pki("ca.crt"), path.join(files, "ca.crt"));
  start({
    name,
    command: ["unshare", "--mount", "--propagation", "private", "sh", "-c", IN_POD, "sh", files, ...command],
    // Its settings are read from config/base/env/config below the working directory.
    cwd: asset("results", "."),
    env: { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "6443", ...env },
  });
}

function createCertificate(): void {
  if (existsSync(resultsCa)) return;
  mkdirSync(tls, { recursive: true });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path.join(tls, "tls.key")];
  const names = ["-subj", "/CN=tekton-results-api", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...key, "-out", resultsCa, "-days", "3650", ...names], { stdio: "ignore" });
}
