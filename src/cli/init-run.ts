import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadConfiguration } from "../config/load.ts";
import { resolveSecret } from "../config/secrets.ts";
import type { SeenApplication } from "../model/application.ts";
import { messageOf } from "../model/errors.ts";
import { discover } from "../overlays/discover.ts";
import { usage } from "./edit-intents.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { applicationsOf } from "./init-applications.ts";
import { initialApps } from "./init-apps.ts";
import { type ArgoCdForm, initialConfiguration } from "./init-config.ts";
import type { Origin } from "./init-words.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";
import { readTree } from "./tree-files.ts";

export interface InitOptions {
  write?: string;
  argocdServer?: string;
  argocdTokenFile?: string;
  argocdCaFile?: string;
  kubeconfig?: string;
  context?: string;
}

/** `gitspan init`: never replaces a file. */
export async function runInit(io: Io, folder: string, options: InitOptions): Promise<ExitCode> {
  const { write: output } = options;
  const argocd = argocdOf(options);
  const files = await readTree(folder, io.signal);
  const { places, unread } = discover(files);
  for (const { file } of unread) io.stderr.write(`gitspan: not looked into: ${printable(file)}\n`);
  if (places.length === 0)
    throw usage(`no file in ${folder} says which image runs`, "Name the folder of a clone of the GitOps repository.");
  const origin = await originOf(folder);
  const found = argocd && applicationsOf(files, await seenBy(io, argocd), origin);
  for (const remark of found?.remarks ?? []) io.stderr.write(`gitspan: left out: ${printable(remark)}\n`);
  const applications = found?.applications ?? [];
  if (found !== undefined) {
    const count = applications.length;
    io.stderr.write(`gitspan: ${count === 0 ? "no" : count} Applications run images of this repository and branch\n`);
  }
  const namespaces = [...new Set(applications.map(({ ref }) => ref.split("/")[0] ?? ""))].toSorted();
  const form = argocd && { ...argocd, ...(namespaces.length === 0 ? {} : { namespaces }) };
  const url = origin.url ?? (found?.url === undefined ? undefined : httpsUrl(found.url));
  const text = initialConfiguration(initialApps(places, applications), { ...origin, url }, form);
  // What is written must be taken by `gitspan serve`.
  loadConfiguration(text, output ?? "gitspan.yaml");
  if (output === undefined) {
    io.stdout.write(text);
    return EXIT.ok;
  }
  try {
    await writeFile(output, text, { flag: "wx" });
  } catch (error) {
    throw usage(`${output} cannot be written: ${messageOf(error)}`, "Choose a file that does not exist yet.");
  }
  io.stderr.write(
    `gitspan: ${printable(output)} is written; look at it, then: gitspan validate --config ${printable(output)}\n`,
  );
  return EXIT.ok;
}

/** Paths of the machine: the configuration may come to lie in another folder. */
function argocdOf(options: InitOptions): ArgoCdForm | undefined {
  const { argocdServer: server, argocdTokenFile: tokenFile, argocdCaFile: caFile, kubeconfig, context } = options;
  if (server === undefined && (tokenFile ?? caFile) !== undefined)
    throw usage("there is no Argo CD for the token or certificates", "Name it with --argocd-server.");
  if (server !== undefined && tokenFile === undefined)
    throw usage("Argo CD is not read without a token", "Name its file with --argocd-token-file.");
  if (kubeconfig === undefined && context !== undefined)
    throw usage("--context is for a kubeconfig", "Name that with --kubeconfig.");
  if (server === undefined && kubeconfig === undefined) return undefined;
  return {
    ...(kubeconfig && { kubernetes: { kubeconfigFile: resolve(kubeconfig), ...(context && { context }) } }),
    ...(server && tokenFile && { server, tokenFile: resolve(tokenFile) }),
    ...(caFile && { caFile: resolve(caFile) }),
  };
}

async function seenBy(io: Io, { kubernetes, server, tokenFile = "", caFile }: ArgoCdForm): Promise<SeenApplication[]> {
  const { readApplications } = await io.loadArgoCd();
  const location = {
    ...(kubernetes && {
      kubernetes: { kind: "kubeconfig" as const, file: kubernetes.kubeconfigFile, context: kubernetes.context },
    }),
    ...(server && { server: { url: server, token: () => resolveSecret({ file: tokenFile }) } }),
    ...(caFile && { caFile }),
  };
  return readApplications(io.clock, location, io.signal);
}

/** What the clone knows of where it came from, as far as gitspan could read it there. */
async function originOf(folder: string): Promise<Origin> {
  const [config, head] = await Promise.all(["config", "HEAD"].map((name) => textOf(join(folder, ".git", name))));
  const remote = /\[remote "origin"\][^[]*?\burl\s*=\s*(\S+)/.exec(config ?? "")?.[1];
  const branch = /^ref: refs\/heads\/(\S+)/.exec(head ?? "")?.[1];
  return { url: remote === undefined ? undefined : httpsUrl(remote), branch };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** SSH addresses and those with a password in them are turned into plain ones. */
function httpsUrl(remote: string): string | undefined {
  const [, host, path] = /^(?:ssh:\/\/)?[^@/\s]+@([^:/\s]+)(?::\d+\/|[:/])(.+)$/.exec(remote) ?? [];
  const url = host === undefined ? remote : `https://${host}/${path}`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
