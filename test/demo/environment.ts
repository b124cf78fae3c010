import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { destination } from "pino";
import { stringify } from "yaml";
import { systemAmbient } from "../../src/ambient.ts";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { type SimulatedArgoCd, startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";
import { DemoClient } from "./client.ts";
import { apps, ENVIRONMENTS, gitopsFiles, overlayOf, WITH_SOURCE } from "./gitops-files.ts";

const REPOSITORY = "gitops";

export interface Demo {
  git: GitServer;
  repository: string;
  argocd: SimulatedArgoCd;
  bridge: Bridge;
  client: DemoClient;
  directory: string;
  tokenFile: string;
  logFile: string;
  close(): Promise<void>;
}

/** Everything on loopback and in one temporary directory, which is removed again at the end. */
export async function startDemo(say: (line: string) => void): Promise<Demo> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-demo-"));
  // Run by root, PostgreSQL works as another user, who has to get to its data.
  await chmod(directory, 0o711);
  const closers: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    const git = await startGitServer();
    closers.push(() => git.close());
    await git.createRepository(REPOSITORY, gitopsFiles());
    say(
      `git server       ${git.url(REPOSITORY)}  (real git http-backend; ${apps.length} apps x ${ENVIRONMENTS.length} environments)`,
    );

    const argocd = await startSimulatedArgoCd(
      { clock: systemAmbient.clock, read: (branch) => readBranch(git, branch) },
      { applications: applicationsOf(git.url(REPOSITORY)) },
    );
    closers.push(() => argocd.close());
    say(`Argo CD          ${argocd.url}  (SIMULATED: reads the repository, runs no Pods)`);

    const { configFile, logFile } = await writeConfiguration(directory, git, argocd);
    const output = destination({ dest: logFile, sync: true });
    const bridge = await startBridge({ configFile, log: createLog({ clock: systemAmbient.clock, output }) });
    closers.push(() => bridge.close());
    say(`gitspan          ${bridge.address}  (the real bridge on its embedded PostgreSQL; log: ${logFile})`);

    const { token, hash } = mintToken();
    await withStore(configFile, (store) => store.createToken({ name: "demo", hash, groups: [] }));
    const tokenFile = join(directory, "token");
    await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
    const client = new DemoClient(bridge.address, token);
    return { git, repository: REPOSITORY, argocd, bridge, client, directory, tokenFile, logFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readBranch(git: GitServer, branch: string) {
  const sha = (await git.tip(REPOSITORY, branch)) ?? "";
  return { sha, file: (path: string) => git.show(REPOSITORY, sha, path).catch(() => undefined) };
}

function applicationsOf(repoURL: string) {
  return apps.flatMap(({ name }) =>
    ENVIRONMENTS.map((environment) => ({
      name: `${name}-${environment}`,
      repoURL,
      branch: "main",
      path: overlayOf(name, environment),
    })),
  );
}

async function writeConfiguration(
  directory: string,
  git: GitServer,
  argocd: SimulatedArgoCd,
): Promise<{ configFile: string; logFile: string }> {
  const kubeconfigFile = join(directory, "kubeconfig");
  const tokenFile = join(directory, "argocd-token");
  await writeFile(kubeconfigFile, argocd.kubeconfig, { mode: 0o600 });
  await writeFile(tokenFile, argocd.token, { mode: 0o600 });
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: git.url(REPOSITORY) } },
    sources: { shop: { url: `${git.origin}/shop/*` } },
    argocd: { main: { kubernetes: { kubeconfigFile }, server: argocd.url, tokenFile } },
    // Compressed for the demo; the defaults are 30 s, 45 s and 13 m.
    environments: Object.fromEntries(
      ENVIRONMENTS.map((name) => [name, { settle: "2s", degradedAfter: "4s", timeout: "2m" }]),
    ),
    apps: Object.fromEntries(
      apps.map(({ name, repository }) => [
        name,
        {
          // That one's builds are of the demo's own git server.
          ...(name === WITH_SOURCE.name
            ? {}
            : { from: { repository: `https://git.example.com/shop/${name}.git`, branches: ["main"] } }),
          images: { [name]: repository },
          targets: Object.fromEntries(
            ENVIRONMENTS.map((environment) => [environment, { kustomize: overlayOf(name, environment) }]),
          ),
        },
      ]),
    ),
    access: [{ subject: "token:demo", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
  };
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configuration));
  return { configFile, logFile: join(directory, "bridge.log") };
}
