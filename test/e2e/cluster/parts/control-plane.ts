/** etcd, API server, controller manager, scheduler. */
import { program } from "../cache.ts";
import { Kube } from "../kube.ts";
import { createPki, kubeconfigOf, pki } from "../pki.ts";
import { addresses, NODE_ADDRESS, places, stateFile } from "../places.ts";
import { answers, start, step, waitFor } from "../supervisor.ts";

const ETCD = "http://127.0.0.1:2379";
const PEERS = "http://127.0.0.1:2380";

export async function startControlPlane(): Promise<void> {
  await step("certificates", createPki);
  await step("etcd", startEtcd);
  await step("kube-apiserver", startApiServer);
  await step("kube-controller-manager, kube-scheduler", startControllers);
}

async function startEtcd(): Promise<void> {
  start({
    name: "etcd",
    command: [
      program("etcd", "etcd"),
      "--name=e2e",
      `--data-dir=${stateFile("etcd")}`,
      // A test cluster that loses its power is started anew.
      "--unsafe-no-fsync",
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      `--listen-peer-urls=${PEERS}`,
      `--initial-advertise-peer-urls=${PEERS}`,
      `--initial-cluster=e2e=${PEERS}`,
      "--log-level=warn",
    ],
  });
  await waitFor("etcd healthy", ["etcd"], () => answers(`${ETCD}/health`), 30);
}

async function startApiServer(): Promise<void> {
  start({
    name: "kube-apiserver",
    command: [
      program("kubernetes", "kube-apiserver"),
      `--etcd-servers=${ETCD}`,
      "--bind-address=0.0.0.0",
      "--secure-port=6443",
      `--advertise-address=${NODE_ADDRESS}`,
      "--service-cluster-ip-range=10.96.0.0/24",
      "--allow-privileged=true",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--anonymous-auth=false",
      `--client-ca-file=${pki("ca.crt")}`,
      `--tls-cert-file=${pki("apiserver.crt")}`,
      `--tls-private-key-file=${pki("apiserver.key")}`,
      `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
      `--kubelet-certificate-authority=${pki("ca.crt")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${pki("service-account.pub")}`,
      `--service-account-signing-key-file=${pki("service-account.key")}`,
      // Webhooks are reached by their EndpointSlice: there is no kube-proxy.
      "--enable-aggregator-routing=true",
      "--profiling=false",
      "--enable-priority-and-fairness=false",
      "--v=1",
    ],
  });
  const isReady = async () => {
    await new Kube(places.kubeconfig).list("v1", "Namespace");
    return true;
  };
  await waitFor(`API server at ${addresses.apiServer}`, ["kube-apiserver"], isReady, 90);
}

async function startControllers(): Promise<void> {
  start({
    name: "kube-controller-manager",
    command: [
      program("kubernetes", "kube-controller-manager"),
      `--kubeconfig=${kubeconfigOf("controller-manager")}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${pki("service-account.key")}`,
      `--root-ca-file=${pki("ca.crt")}`,
      `--cluster-signing-cert-file=${pki("ca.crt")}`,
      `--cluster-signing-key-file=${pki("ca.key")}`,
      "--profiling=false",
    ],
  });
  start({
    name: "kube-scheduler",
    command: [
      program("kubernetes", "kube-scheduler"),
      `--kubeconfig=${kubeconfigOf("scheduler")}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--profiling=false",
    ],
  });
  const kube = new Kube(places.kubeconfig);
  const needed = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt" } },
  ];
  for (const reference of needed) {
    const isThere = async () => (await kube.find(reference)) !== undefined;
    await waitFor(`${reference.kind} ${reference.metadata.name}`, ["kube-controller-manager"], isThere);
  }
}
