/** containerd and kubelet, with a cgroup of their own so that nothing of a Pod can be left behind. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { program } from "../cache.ts";
import { createCgroup } from "../cgroup.ts";
import { at, Kube } from "../kube.ts";
import { kubeconfigOf, pki } from "../pki.ts";
import { addresses, NODE_ADDRESS, NODE_NAME, places, stateFile } from "../places.ts";
import { isUp, start, step, stop, waitFor } from "../supervisor.ts";

export const CONTAINERD_SOCKET = path.join(places.run, "containerd.sock");

export async function startNode(): Promise<void> {
  await step("containerd", startContainerd);
  await step("kubelet, node ready", startKubelet);
}

async function startContainerd(): Promise<void> {
  const hosts = stateFile("config/registries", addresses.registry);
  for (const folder of [places.run, stateFile("config/cni"), hosts]) mkdirSync(folder, { recursive: true });
  writeFileSync(stateFile("config/containerd.toml"), containerdConfig());
  const server = `http://${addresses.registry}`;
  const capabilities = 'capabilities = ["pull", "resolve"]';
  writeFileSync(path.join(hosts, "hosts.toml"), `server = "${server}"\n[host."${server}"]\n  ${capabilities}\n`);
  // The network counts as ready once a configuration parses; Pods use the host's network, so no plugin is ever run.
  const network = { cniVersion: "0.4.0", name: "e2e", plugins: [{ type: "loopback" }] };
  writeFileSync(stateFile("config/cni/10-e2e.conflist"), JSON.stringify(network));
  start({ name: "containerd", command: ["containerd", "--config", stateFile("config/containerd.toml")] });
  await waitFor("containerd", ["containerd"], isContainerdReady, 30);
}

/** Its CRI plugin answers later than containerd itself, and a kubelet that comes too early gives up. */
function isContainerdReady(): boolean {
  const plugins = execFileSync("ctr", ["-a", CONTAINERD_SOCKET, "plugins", "ls", "id==cri"], { encoding: "utf8" });
  return /\bcri\b.*\bok\b/.test(plugins);
}

async function startKubelet(): Promise<void> {
  createCgroup();
  writeFileSync(stateFile("config/kubelet.json"), JSON.stringify(kubeletConfig(), undefined, 2));
  const kubelet = {
    name: "kubelet",
    command: [
      program("kubernetes", "kubelet"),
      `--config=${stateFile("config/kubelet.json")}`,
      `--kubeconfig=${kubeconfigOf("kubelet")}`,
      `--root-dir=${stateFile("kubelet")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
      "--v=2",
    ],
  };
  const since = new Date();
  const fresh = !isUp("kubelet");
  start(kubelet);
  const kube = new Kube(places.kubeconfig);
  await waitFor("node ready", ["kubelet"], async () => {
    const node = await kube.find({ apiVersion: "v1", kind: "Node", metadata: { name: NODE_NAME } });
    return node !== undefined && isReady(node, fresh ? since : undefined);
  });
}

/** After a restart the node still shows the state of its former life, until the new kubelet has spoken. */
function isReady(node: unknown, since: Date | undefined): boolean {
  const conditions = at(node, "status", "conditions");
  const ready = Array.isArray(conditions) ? conditions.find((one) => at(one, "type") === "Ready") : undefined;
  const heard = new Date(String(at(ready, "lastHeartbeatTime"))).getTime();
  const taints = JSON.stringify(at(node, "spec", "taints") ?? []);
  // Times of the API have whole seconds.
  const isRecent = since === undefined || heard >= since.getTime() - 1000;
  return at(ready, "status") === "True" && isRecent && !taints.includes("not-ready");
}

export async function stopNode(): Promise<void> {
  await stop("kubelet");
  if (isUp("containerd")) killContainers();
  await stop("containerd");
}

function killContainers(): void {
  const ctr = (...args: string[]) =>
    execFileSync("ctr", ["-a", CONTAINERD_SOCKET, "-n", "k8s.io", ...args], { encoding: "utf8", stdio: "pipe" });
  const attempt = (...args: string[]) => {
    try {
      ctr(...args);
    } catch {
      // It ended by itself meanwhile.
    }
  };
  const containers = ctr("containers", "ls", "-q").split("\n").filter(Boolean);
  for (const id of containers) attempt("task", "kill", "-s", "KILL", id);
  for (const id of containers) attempt("task", "rm", "-f", id);
  for (const id of containers) attempt("containers", "rm", id);
}

function kubeletConfig(): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: NODE_ADDRESS,
    healthzBindAddress: "127.0.0.1",
    readOnlyPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki("ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pki("kubelet-server.crt"),
    tlsPrivateKeyFile: pki("kubelet-server.key"),
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${places.name}`,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: "",
    podLogsDir: stateFile("pod-logs"),
    serializeImagePulls: false,
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    // A small machine's disk may be nearly full of other things.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
  };
}

function containerdConfig(): string {
  const off = ["snapshotter.v1.btrfs", "snapshotter.v1.zfs", "snapshotter.v1.devmapper", "snapshotter.v1.aufs"];
  const unused = [...off, "internal.v1.opt", "tracing.processor.v1.otlp", "internal.v1.tracing"];
  return `version = 2
root = "${stateFile("containerd")}"
state = "${path.join(places.run, "containerd")}"
disabled_plugins = [${unused.map((plugin) => `"io.containerd.${plugin}"`).join(", ")}]
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${addresses.registry}/base/pause:e2e"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # Where CAP_SYS_RESOURCE is missing, lowering oom_score_adj is refused and runc dies with "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  disable_apparmor = true
  # Namespaces of Pods without the host network lie below our own folder, where a wipe finds them.
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${stateFile("config/cni")}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${stateFile("config/registries")}"
`;
}
