import { EventEmitter, once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemAmbient } from "../../src/ambient.ts";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { startTestDatabase } from "../fakes/database.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";

export const REPOSITORY = "gitops";
export const OVERLAY = "apps/web/overlays/dev";
export const IMAGE = "registry.example.com/shop/web";

/** Every secret of the site, right and wrong ones: each is a word that stands nowhere else. */
const SECRETS = {
  git: "right-git-password-zmqp81",
  wrongGit: "wrong-git-password-vkdh27",
  argocd: "right-argocd-token-xnwj45",
  wrongArgocd: "wrong-argocd-token-htlr93",
  oldSignature: "first-signing-secret-qyfo62",
  newSignature: "second-signing-secret-wbcs70",
  wrongSignature: "wrong-signing-secret-jgae18",
  wrongToken: `gsp_wrong-bearer-token-pudk36${"x".repeat(18)}`,
};

export interface SecretSite {
  bridge: Bridge;
  git: GitServer;
  secrets: typeof SECRETS & { token: string; database: string };
  /** Every line that the bridge has logged, at debug level. */
  log(): string;
  /** Resolves when something like it has been logged. */
  whenLogged(pattern: RegExp): Promise<void>;
  /** Replaces a secret that the bridge reads from a file. */
  rotate(name: "git" | "argocd", value: string): Promise<void>;
  close(): Promise<void>;
}

/** The real bridge between a git server, an Argo CD and a database that all ask for a secret. */
export async function openSecretSite(): Promise<SecretSite> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-secrets-"));
  await chmod(directory, 0o711);
  const database = await startTestDatabase();
  const git = await startGitServer({ auth: { username: "deploy-bot", password: SECRETS.git } });
  await git.createRepository(REPOSITORY, {
    [`${OVERLAY}/kustomization.yaml`]: `images:\n- name: ${IMAGE}\n  newTag: "1.0.0"\n`,
  });
  const argocd = await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read: (branch) => readBranch(git, branch) },
    {
      token: SECRETS.argocd,
      applications: [{ name: "web-dev", repoURL: git.url(REPOSITORY), branch: "main", path: OVERLAY }],
      durations: { rolloutMs: 300, operationMs: 100, oldPodsMs: 50 },
    },
  );
  const databaseUrl = await database.fresh();
  const files = {
    git: join(directory, "git"),
    argocd: join(directory, "argocd"),
    old: join(directory, "old"),
    new: join(directory, "new"),
    database: join(directory, "database"),
    kubeconfig: join(directory, "kubeconfig"),
  };
  await Promise.all([
    writeFile(files.git, SECRETS.git),
    writeFile(files.argocd, SECRETS.argocd),
    writeFile(files.old, SECRETS.oldSignature),
    writeFile(files.new, SECRETS.newSignature),
    writeFile(files.database, databaseUrl),
    writeFile(files.kubeconfig, argocd.kubeconfig),
  ]);
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configurationOf(git.url(REPOSITORY), argocd.url, files)));
  let written = "";
  const lines = new EventEmitter();
  const output = {
    write: (line: string) => {
      written += line;
      lines.emit("line");
    },
  };
  const log = createLog({ clock: systemAmbient.clock, level: "debug", output });
  const bridge = await startBridge({ configFile, log });
  const { token, hash } = mintToken();
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash, groups: [] }));
  return {
    bridge,
    git,
    secrets: { ...SECRETS, token, database: new URL(databaseUrl).password },
    log: () => written,
    async whenLogged(pattern) {
      while (!pattern.test(written)) await once(lines, "line");
    },
    rotate: (name, value) => writeFile(files[name], value),
    async close() {
      await bridge.close();
      await argocd.close();
      await git.close();
      await database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function configurationOf(gitUrl: string, argocdUrl: string, files: Record<string, string>): object {
  return {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    metricsListen: "127.0.0.1:0",
    database: { urlFile: files["database"] },
    repositories: { gitops: { url: gitUrl, auth: { username: "deploy-bot", tokenFile: files["git"] } } },
    argocd: {
      main: { kubernetes: { kubeconfigFile: files["kubeconfig"] }, server: argocdUrl, tokenFile: files["argocd"] },
    },
    environments: { dev: { settle: "300ms", timeout: "2m" } },
    apps: { web: { images: { web: IMAGE }, targets: { dev: { kustomize: OVERLAY } } } },
    signatures: { ci: { secretFiles: [files["old"], files["new"]] } },
    access: [
      { subject: "token:ci", actions: ["read", "deliver", "hold"], apps: ["*"], environments: ["*"] },
      { subject: "signature:ci", actions: ["deliver"], apps: ["*"], environments: ["*"] },
    ],
  };
}

async function readBranch(git: GitServer, branch: string) {
  const sha = (await git.tip(REPOSITORY, branch)) ?? "";
  return { sha, file: (path: string) => git.show(REPOSITORY, sha, path).catch(() => undefined) };
}
