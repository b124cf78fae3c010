import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemAmbient } from "../../src/ambient.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { openDatabase } from "../../src/store/database.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";

const overlayOf = (app: string) => `apps/${app}/overlays/dev`;
const imageOf = (app: string) => `registry.example.com/shop/${app}`;

/** The surroundings that outlive every killed bridge: PostgreSQL, a git server, a simulated Argo CD. */
export interface Grounds {
  database: TestDatabase;
  git: GitServer;
  close(): Promise<void>;
}

export async function openGrounds(): Promise<Grounds> {
  const database = await startTestDatabase();
  const git = await startGitServer();
  return {
    database,
    git,
    async close() {
      await git.close();
      await database.close();
    },
  };
}

/** A repository, a database and a configuration of one's own for one kill. */
export interface Site {
  repository: string;
  configFile: string;
  token: string;
  databaseUrl: string;
  close(): Promise<void>;
}

export async function openSite(
  { database, git }: Grounds,
  name: string,
  apps: readonly string[] = ["web"],
): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-kill-"));
  await chmod(directory, 0o711);
  await git.createRepository(
    name,
    Object.fromEntries(
      apps.map((app) => [
        `${overlayOf(app)}/kustomization.yaml`,
        `images:\n- name: ${imageOf(app)} # ours\n  newTag: "1.0.0"\n`,
      ]),
    ),
  );
  const read = async (branch: string) => {
    const sha = (await git.tip(name, branch)) ?? "";
    return { sha, file: (path: string) => git.show(name, sha, path).catch(() => undefined) };
  };
  const argocd = await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read },
    {
      applications: apps.map((app) => ({
        name: `${app}-dev`,
        repoURL: git.url(name),
        branch: "main",
        path: overlayOf(app),
      })),
      durations: { rolloutMs: 300, operationMs: 100, oldPodsMs: 50 },
    },
  );
  const files = { kubeconfigFile: join(directory, "kubeconfig"), tokenFile: join(directory, "argocd-token") };
  await writeFile(files.kubeconfigFile, argocd.kubeconfig);
  await writeFile(files.tokenFile, argocd.token);
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(
    configFile,
    stringify({
      apiVersion: "gitspan.dev/v1alpha1",
      kind: "Bridge",
      listen: "127.0.0.1:0",
      database: { urlEnv: "DATABASE_URL" },
      repositories: { gitops: { url: git.url(name) } },
      argocd: {
        main: { kubernetes: { kubeconfigFile: files.kubeconfigFile }, server: argocd.url, tokenFile: files.tokenFile },
      },
      environments: { dev: { settle: "300ms", timeout: "2m", degradedAfter: "0s", rollback: "automatic" } },
      apps: Object.fromEntries(
        apps.map((app) => [app, { images: { [app]: imageOf(app) }, targets: { dev: { kustomize: overlayOf(app) } } }]),
      ),
      access: [{ subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
    }),
  );
  const databaseUrl = await database.fresh();
  const { token, hash } = mintToken();
  const opened = await openDatabase(databaseDeps, { url: databaseUrl });
  await opened.store.createToken({ name: "ci", hash, groups: [] });
  await opened.close();
  return {
    repository: name,
    configFile,
    token,
    databaseUrl,
    async close() {
      await argocd.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Process {
  /** Undefined when it died before it listened. */
  address: string | undefined;
  /** Ports' calls in the order in which they were first made. */
  points: string[];
  exited: Promise<string>;
  terminate(): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<string>;
}

/** Made by `npm test`; else the sources. */
const PROGRAM = process.env.GITSPAN_VICTIM ?? new URL("./victim.ts", import.meta.url).pathname;

/** Starts a bridge as a process of its own; with `killAt` it kills itself there. */
export async function startProcess(site: Pick<Site, "configFile" | "databaseUrl">, killAt?: string): Promise<Process> {
  const args = [PROGRAM, site.configFile, ...(killAt === undefined ? [] : [killAt])];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, DATABASE_URL: site.databaseUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit").then(([code, signal]) => String(signal ?? code));
  const points: string[] = [];
  const errors: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  let pending = "";
  const address = Promise.withResolvers<string | undefined>();
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (pending + chunk.toString()).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("point ")) points.push(line.slice("point ".length));
      if (line.startsWith("address ")) address.resolve(line.slice("address ".length));
    }
  });
  child.once("exit", (code, signal) => {
    if (signal === "SIGKILL" || code === 0) address.resolve(undefined);
    else address.reject(new Error(`bridge exited with ${String(signal ?? code)}: ${errors.join("")}`));
  });
  return {
    address: await address.promise,
    points,
    exited,
    terminate() {
      child.kill("SIGTERM");
      return exited;
    },
    kill() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/** Posts a build of an app; undefined when the process died under it, as a client would see it. */
export async function post(
  site: Site,
  address: string,
  { app = "web", major = 2, suffix = "" } = {},
): Promise<string | undefined> {
  const body = JSON.stringify({
    images: [{ image: `${imageOf(app)}:${major}.0.0${suffix}` }],
    source: {
      repository: "https://git.example.com/shop/web.git",
      commit: String(major).repeat(40),
      time: new Date(Date.UTC(2026, 0, major)).toISOString(),
    },
    run: { kind: "PipelineRun", name: `${app}-${major}`, uid: `${app}-${major}` },
  });
  try {
    const response = await fetch(`${address}/v1/builds`, { method: "POST", body, headers: headersOf(site) });
    return ((await response.json()) as { id: string }).id;
  } catch {
    return undefined;
  }
}

export interface Ended {
  outcome: string;
  commit: string;
}

export async function waitDone(site: Site, address: string, id: string): Promise<Ended> {
  for (;;) {
    const response = await fetch(`${address}/v1/builds/${id}?wait=30s&until=done`, { headers: headersOf(site) });
    const build = (await response.json()) as { done: boolean; deliveries: Ended[] };
    if (build.done && build.deliveries[0] !== undefined) return build.deliveries[0];
  }
}

export interface ListedDelivery extends Ended {
  id: string;
  kind: string;
  reason?: string;
}

/** Newest first; none when the process died under it. */
export async function deliveries(site: Site, address: string): Promise<ListedDelivery[]> {
  try {
    const response = await fetch(`${address}/v1/deliveries`, { headers: headersOf(site) });
    return ((await response.json()) as { items: ListedDelivery[] }).items;
  } catch {
    return [];
  }
}

function headersOf(site: Site): Record<string, string> {
  return { authorization: `Bearer ${site.token}`, "content-type": "application/json" };
}
