/** Argo CD: redis, repo-server, application controller and API server as host processes, with upstream's RBAC. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { asset, program } from "../cache.ts";
import { at, Kube, type Manifest, manifestsOf, parseManifests } from "../kube.ts";
import { addresses, places, stateFile } from "../places.ts";
import { answers, flags, isUp, start, step, waitFor } from "../supervisor.ts";
import { serviceAccountKubeconfig } from "./service-accounts.ts";

export const ARGOCD_NAMESPACE = "argocd";
/** Argo CD looks at repositories by itself this often: longer than a test waits, so that what is quick was asked for. */
const RECONCILIATION_SECONDS = 90;
/** Of argocd/settings: may read Applications and refresh them, nothing else. */
const ACCOUNT = "gitspan";
const REDIS_PORT = 6390;
const REPO_SERVER_PORT = 18081;
const home = stateFile("argocd");
const bin = path.join(home, "bin");
const connections = {
  redis: `127.0.0.1:${REDIS_PORT}`,
  "repo-server": `127.0.0.1:${REPO_SERVER_PORT}`,
  "repo-server-plaintext": true,
};

export const argocdTokenFile = path.join(home, `${ACCOUNT}.token`);

export async function startArgoCd(): Promise<void> {
  await step("Argo CD definitions, RBAC, configuration", applyManifests);
  await step("Argo CD redis, repo-server, controller, server", startProcesses);
  await step("Argo CD account", createToken);
}

async function applyManifests(): Promise<void> {
  if (isUp("argocd-server")) return;
  const namespace: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: ARGOCD_NAMESPACE } };
  const kube = new Kube(places.kubeconfig, ARGOCD_NAMESPACE);
  await kube.apply(namespace, ...kustomize("crds"), ...kustomize("cluster-rbac"), ...kustomize("base/config"));
  const accounts = ["application-controller-roles/argocd-application-controller", "server/argocd-server"];
  const roles = accounts.flatMap((one) => ["sa", "role", "rolebinding"].map((kind) => `base/${one}-${kind}.yaml`));
  await kube.apply(...manifestsOf(...[...roles, "base/repo-server/argocd-repo-server-sa.yaml"].map(manifests)));
  // The account and what it may do, as we ship them.
  for (const file of ["argocd-cm", "argocd-rbac-cm"]) {
    for (const settings of manifestsOf(`argocd/settings/${file}.yaml`)) await kube.merge(settings);
  }
  await configure("argocd-cm", {
    url: addresses.argocd,
    "timeout.reconciliation": `${RECONCILIATION_SECONDS}s`,
    "timeout.reconciliation.jitter": "0s",
  });
}

function manifests(file: string): string {
  return asset("argocd", path.join("manifests", file));
}

function kustomize(folder: string): Manifest[] {
  const built = execFileSync(program("helm", "kustomize"), ["build", manifests(folder)], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return parseManifests(built);
}

async function configure(configMap: string, data: Readonly<Record<string, string>>): Promise<void> {
  const kube = new Kube(places.kubeconfig, ARGOCD_NAMESPACE);
  await kube.merge({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: configMap, namespace: ARGOCD_NAMESPACE },
    data,
  });
}

async function startProcesses(): Promise<void> {
  linkPrograms();
  const redis = [
    "--bind",
    "127.0.0.1",
    "--port",
    String(REDIS_PORT),
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    home,
  ];
  start({ name: "argocd-redis", command: ["redis-server", ...redis] });
  await startOne("repo-server", undefined, {
    "disable-tls": true,
    redis: connections.redis,
    address: "127.0.0.1",
    port: REPO_SERVER_PORT,
    "metrics-port": 18084,
  });
  await waitFor("repo-server", ["argocd-redis", "argocd-repo-server"], () => answers("http://127.0.0.1:18084/healthz"));
  await startController();
  await startOne("server", "argocd-server", {
    namespace: ARGOCD_NAMESPACE,
    insecure: true,
    address: "127.0.0.1",
    port: new URL(addresses.argocd).port,
    "metrics-port": 18083,
    "dex-server": "http://127.0.0.1:5556",
    ...connections,
  });
  await waitFor("controller", ["argocd-application-controller"], () => answers("http://127.0.0.1:18082/healthz"), 90);
  await waitFor("server", ["argocd-server"], () => answers(`${addresses.argocd}/healthz`), 90);
}

/** Tests stop it in the middle of a sync and start it again. */
export async function startController(): Promise<void> {
  await startOne("application-controller", "argocd-application-controller", {
    namespace: ARGOCD_NAMESPACE,
    "app-resync": RECONCILIATION_SECONDS,
    "app-resync-jitter": 0,
    "metrics-port": 18082,
    ...connections,
  });
}

/** One program with many names: it does what its name says, and calls itself as `argocd` when git asks for a password. */
function linkPrograms(): void {
  for (const folder of ["bin", "tls", "ssh", "gpg", "plugins", "tmp"])
    mkdirSync(path.join(home, folder), { recursive: true, mode: 0o700 });
  const argocd = [
    "argocd",
    "argocd-repo-server",
    "argocd-application-controller",
    "argocd-server",
    "argocd-git-ask-pass",
  ];
  const links = Object.fromEntries([
    ...argocd.map((name) => [name, program("argocd", "cmd")]),
    ...["helm", "kustomize"].map((name) => [name, program("helm", name)]),
  ]);
  for (const [name, target] of Object.entries(links)) {
    rmSync(path.join(bin, name), { force: true });
    symlinkSync(String(target), path.join(bin, name));
  }
}

async function startOne(
  part: string,
  account: string | undefined,
  settings: Parameters<typeof flags>[0],
): Promise<void> {
  const name = `argocd-${part}`;
  if (isUp(name)) return;
  start({
    name,
    command: [path.join(bin, name), ...flags(settings)],
    cwd: home,
    env: {
      PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
      HOME: home,
      TMPDIR: path.join(home, "tmp"),
      HELM_CACHE_HOME: path.join(home, "helm/cache"),
      HELM_CONFIG_HOME: path.join(home, "helm/config"),
      HELM_DATA_HOME: path.join(home, "helm/data"),
      ARGOCD_FAKE_IN_CLUSTER: "true",
      ARGOCD_GPG_ENABLED: "false",
      ARGOCD_TLS_DATA_PATH: path.join(home, "tls"),
      ARGOCD_SSH_DATA_PATH: path.join(home, "ssh"),
      ARGOCD_GNUPGHOME: path.join(home, "gpg"),
      ARGOCD_PLUGINSOCKFILEPATH: path.join(home, "plugins"),
      ARGOCD_ASK_PASS_SOCK: path.join(home, "ask.sock"),
      ARGOCD_RECONCILIATION_TIMEOUT: `${RECONCILIATION_SECONDS}s`,
      ARGOCD_RECONCILIATION_JITTER: "0s",
      // The controller finds its shard by it.
      HOSTNAME: `${name}-0`,
      ...(account === undefined ? {} : { KUBECONFIG: await serviceAccountKubeconfig(ARGOCD_NAMESPACE, account) }),
    },
  });
}

async function createToken(): Promise<void> {
  const kube = new Kube(places.kubeconfig, ARGOCD_NAMESPACE);
  const project = { apiVersion: "argoproj.io/v1alpha1", kind: "AppProject", metadata: { name: "default" } };
  await waitFor("AppProject default", ["argocd-server"], async () => (await kube.find(project)) !== undefined);
  if (existsSync(argocdTokenFile) && (await isAccepted(readFileSync(argocdTokenFile, "utf8")))) return;
  // A new account is known once the server has seen the ConfigMap.
  await waitFor(`a token for ${ACCOUNT}`, ["argocd-server"], async () => {
    const session = await call("session", await adminLogin());
    const { token } = await call(`account/${ACCOUNT}/token`, { expiresIn: 0 }, session.token);
    writeFileSync(argocdTokenFile, token, { mode: 0o600 });
    return true;
  });
}

async function adminLogin(): Promise<object> {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "argocd-initial-admin-secret" } };
  const password = at(await new Kube(places.kubeconfig, ARGOCD_NAMESPACE).read(secret), "data", "password");
  return { username: "admin", password: Buffer.from(String(password), "base64").toString() };
}

async function isAccepted(token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return await answers(`${addresses.argocd}/api/v1/applications`, { headers });
}

async function call(apiPath: string, body: object, token?: string): Promise<{ token: string }> {
  const answer = await fetch(`${addresses.argocd}/api/v1/${apiPath}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`Argo CD ${apiPath}: ${answer.status} ${await answer.text()}`);
  return { token: String(at(await answer.json(), "token")) };
}
