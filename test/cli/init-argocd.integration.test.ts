import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { type SimulatedArgoCd, startSimulatedArgoCd } from "../fakes/simulated-argocd/server.ts";
import { runCli } from "./run-cli.ts";

const REPOSITORY = "https://git.example.com/org/gitops.git";

let folder: string;
let clone: string;
let argocd: SimulatedArgoCd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-init-"));
  clone = join(folder, "clone");
  for (const environment of ["dev", "prod"]) {
    await mkdir(join(clone, "web", environment), { recursive: true });
    await writeFile(join(clone, "web", environment, "kustomization.yaml"), "images: [{name: r.io/web, newTag: v1}]\n");
  }
  await mkdir(join(clone, ".git"));
  await writeFile(join(clone, ".git", "config"), `[remote "origin"]\n\turl = ${REPOSITORY}\n`);
  await writeFile(join(clone, ".git", "HEAD"), "ref: refs/heads/main\n");
  argocd = await startSimulatedArgoCd(
    { clock: systemAmbient.clock, read: async () => ({ sha: "c".repeat(40), file: () => undefined }) },
    {
      applications: ["dev", "prod"].map((environment) => ({
        name: `shop-${environment}`,
        repoURL: REPOSITORY,
        branch: "main",
        path: `web/${environment}`,
      })),
    },
  );
  await writeFile(join(folder, "kubeconfig"), argocd.kubeconfig);
  await writeFile(join(folder, "token"), argocd.token);
  await writeFile(join(folder, "wrong"), "wrong");
});
afterAll(async () => {
  await argocd?.close();
  await rm(folder, { recursive: true, force: true });
});

const init = (...args: string[]) => runCli(["init", clone, ...args]);
const server = () => ["--argocd-server", argocd.url, "--argocd-token-file", join(folder, "token")];

describe("gitspan init with an Argo CD", () => {
  test.each(["server", "kubeconfig", "both"])("makes targets of its Applications, by %s", async (by) => {
    const kubeconfig = ["--kubeconfig", join(folder, "kubeconfig"), "--context", "simulated"];
    const args = by === "server" ? server() : by === "kubeconfig" ? kubeconfig : [...server(), ...kubeconfig];
    const { code, stdout, stderr } = await init(...args);
    expect([code, stderr]).toEqual([0, "gitspan: 2 Applications run images of this repository and branch\n"]);
    const { targets, argocd: connections } = loadConfiguration(stdout, join(folder, "gitspan.yaml"));
    expect(targets).toMatchObject(
      ["dev", "prod"].map((environment) => ({
        id: `shop/${environment}`,
        places: [{ format: "kustomize", directory: `web/${environment}` }],
        applications: [{ cluster: "main", namespace: "argocd", name: `shop-${environment}` }],
      })),
    );
    expect(connections.get("main")).toMatchObject({
      namespaces: ["argocd"],
      ...(by === "server" ? {} : { kubernetes: { kind: "kubeconfig", context: "simulated" } }),
      ...(by === "kubeconfig" ? {} : { server: { url: argocd.url, token: { file: join(folder, "token") } } }),
    });
  });

  test("writes nothing when Argo CD cannot be read, and says why and what to do", async () => {
    const path = join(folder, "never.yaml");
    for (const [args, code, message] of [
      [["--argocd-server", "http://127.0.0.1:9", "--argocd-token-file", join(folder, "token")], 6, "cannot be reached"],
      [["--argocd-server", argocd.url, "--argocd-token-file", join(folder, "wrong")], 4, "The token is missing, wrong"],
      [["--argocd-server", argocd.url, "--argocd-token-file", join(folder, "none")], 3, "cannot be read (ENOENT)"],
      [[...server(), "--argocd-ca-file", join(folder, "none")], 3, "cannot read the certificate authority"],
      [["--kubeconfig", join(folder, "none")], 3, "Check the file, and that its context"],
      [["--kubeconfig", join(folder, "kubeconfig"), "--context", "other"], 3, "no API server in it"],
    ] as const) {
      const result = await init(...args, "--write", path);
      expect([result.code, result.stdout, result.stderr]).toEqual([code, "", expect.stringContaining(message)]);
    }
    expect((await init("--write", path)).code).toBe(0);
  });

  test.each([
    [["--argocd-server", "https://argocd.example.com"], "--argocd-token-file"],
    [["--argocd-token-file", "t"], "--argocd-server"],
    [["--argocd-ca-file", "t"], "--argocd-server"],
    [["--context", "t"], "--kubeconfig"],
  ])("%j lacks %s", async (args, missing) => {
    expect(await init(...args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(missing) as string,
    });
  });
});
