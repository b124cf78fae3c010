import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemAmbient } from "../../src/ambient.ts";
import { type ArgoCdConnection, type ArgoCdLocation, connectArgoCd } from "../../src/argocd/connection.ts";
import {
  type SimulatedArgoCd,
  type SimulatedArgoCdOptions,
  startSimulatedArgoCd,
} from "../fakes/simulated-argocd/server.ts";
import type { GitText } from "./git-text.ts";

export const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface Started {
  simulated: SimulatedArgoCd;
  connection: ArgoCdConnection;
  close(): Promise<void>;
}

/** The real connection against the simulated server; `by` says which of its two APIs. */
export async function startConnected(
  git: GitText,
  repositoryUrl: string,
  by: {
    kubernetes?: boolean;
    rest?: boolean;
    location?: Partial<ArgoCdLocation>;
    server?: Partial<SimulatedArgoCdOptions>;
  },
): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-argocd-"));
  const simulated = await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read: () => git.read() },
    {
      applications: ["dev", "prod"].map((environment) => ({
        name: `checkout-${environment}`,
        repoURL: repositoryUrl,
        branch: "main",
        path: `apps/checkout/overlays/${environment}`,
      })),
      durations: { rolloutMs: 150, oldPodsMs: 60, operationMs: 60, compareMs: 10 },
      bookmarkMs: 50,
      ...by.server,
    },
  );
  const file = join(directory, "kubeconfig");
  await writeFile(file, simulated.kubeconfig);
  const connection = await connectArgoCd({ ambient: systemAmbient, log: silent }, [
    {
      name: "main",
      kubernetes: by.kubernetes === true ? { kind: "kubeconfig", file, context: undefined } : undefined,
      server: by.rest === true ? { url: simulated.url, token: async () => simulated.token } : undefined,
      caFile: undefined,
      namespaces: [],
      refreshByAnnotation: false,
      ...by.location,
    },
  ]);
  return {
    simulated,
    connection,
    async close() {
      await connection.close();
      await simulated.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Asks again until it is so; the test's own time limit ends it. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await systemAmbient.clock.sleep(10);
}

export async function connected(started: Started): Promise<void> {
  await eventually(() => started.connection.ready().every(({ ok }) => ok));
}
