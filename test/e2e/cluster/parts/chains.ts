/**
 * Tekton Chains. It signs every run of the cluster from then on, in all namespaces, and adds finalizers to them: runs that it has
 * not seen cannot be deleted while it is down.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { Kube, manifestsOf } from "../kube.ts";
import { places, stateFile } from "../places.ts";
import { isUp, logFile, start, step, waitFor } from "../supervisor.ts";
import { forgetLeases } from "./knative.ts";
import { serviceAccountKubeconfig } from "./service-accounts.ts";

export const CHAINS_NAMESPACE = "tekton-chains";
const secrets = stateFile("chains/signing-secrets");
/** Signs what Chains sees; ECDSA P-256. */
export const chainsPublicKey = stateFile("chains/x509.pub");

export async function startChains(): Promise<void> {
  await step("Chains", async () => {
    if (isUp("chains")) return;
    createKey();
    const kube = new Kube(places.kubeconfig, CHAINS_NAMESPACE);
    const config = asset("chains", "config");
    const files = readdirSync(config).filter((file) => /^(100-rolebinding|config-.*)\.yaml$/.test(file));
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: CHAINS_NAMESPACE } });
    await kube.apply(...manifestsOf(...files.map((file) => path.join(config, file))));
    await kube.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "chains-config", namespace: CHAINS_NAMESPACE },
      data: {
        "artifacts.taskrun.format": "slsa/v1",
        "artifacts.taskrun.storage": "tekton,oci",
        "artifacts.pipelinerun.format": "slsa/v1",
        "artifacts.pipelinerun.storage": "tekton,oci",
        "artifacts.oci.format": "simplesigning",
        "artifacts.oci.storage": "tekton,oci",
        "storage.oci.repository.insecure": "true",
        "transparency.enabled": "false",
      },
    });
    await forgetLeases(CHAINS_NAMESPACE);
    start({
      name: "chains",
      // Where it looks for keys is fixed in its code: a mount namespace of its own has them there.
      command: [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        MOUNT_KEYS,
        "sh",
        secrets,
        program("chains", "controller"),
      ],
      env: {
        KUBECONFIG: await serviceAccountKubeconfig(CHAINS_NAMESPACE, "tekton-chains-controller"),
        SYSTEM_NAMESPACE: CHAINS_NAMESPACE,
        KUBERNETES_MIN_VERSION: "v1.28.0",
        METRICS_DOMAIN: "tekton.dev/chains",
        CONFIG_LOGGING_NAME: "config-logging",
        CONFIG_LEADERELECTION_NAME: "tekton-chains-config-leader-election",
        CONFIG_OBSERVABILITY_NAME: "tekton-chains-config-observability",
        PROBES_PORT: "9171",
        METRICS_PROMETHEUS_PORT: "9172",
        PROFILING_PORT: "9173",
      },
    });
    await waitFor("Chains at work", ["chains"], () =>
      readFileSync(logFile("chains"), "utf8").includes("Started workers"),
    );
  });
}

const MOUNT_KEYS = `mount -t tmpfs tmpfs /mnt && cp -a /etc/. /mnt/ && mkdir -p /mnt/signing-secrets &&
mount --bind "$1" /mnt/signing-secrets && mount --rbind /mnt /etc && shift && exec "$@"`;

function createKey(): void {
  const key = path.join(secrets, "x509.pem");
  if (existsSync(key)) return;
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key);
  openssl("pkey", "-in", key, "-pubout", "-out", chainsPublicKey);
}
