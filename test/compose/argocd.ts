import { readdir, readFile } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import { systemAmbient } from "../../src/ambient.ts";
import { openRemoteRepository } from "../../src/git/repository.ts";
import { type SimulatedArgoCd, startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";
import { BRANCH, type Place, repositoryUrl } from "./place.ts";

/** The SIMULATED Argo CD on all addresses, with one Application for each overlay of the GitOps repository. */
export async function serveSimulatedArgoCd(place: Place & { port: number }): Promise<SimulatedArgoCd> {
  const repoURL = repositoryUrl(place);
  const bearer = await secret(place, "gitops-token");
  const repository = openRemoteRepository(
    { ambient: systemAmbient },
    { url: repoURL, credentials: async () => ({ username: "gitspan", password: bearer }) },
  );
  const { signal } = new AbortController();
  const read = async (branch: string) => {
    const sha = await repository.tip(branch, signal);
    const file = async (path: string) => {
      const content = (await repository.readFiles(sha, [path], signal)).get(path);
      return content === undefined ? undefined : new TextDecoder().decode(content);
    };
    return { sha, file };
  };
  return await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read },
    {
      host: "0.0.0.0",
      port: place.port,
      token: await secret(place, "argocd-token"),
      applications: (await overlays(place.files)).map((path) => ({
        name: nameOf(path),
        repoURL,
        branch: BRANCH,
        path,
      })),
    },
  );
}

/** `apps/checkout/overlays/prod` for each of them. */
async function overlays(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && posix.basename(entry.parentPath) === "overlays")
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

function nameOf(overlay: string): string {
  const [, app, , environment] = overlay.split("/");
  return `${app}-${environment}`;
}

async function secret({ secrets }: Place, name: string): Promise<string> {
  return (await readFile(join(secrets, name), "utf8")).trim();
}
