/** A configuration for the applications of the monorepo, and a client that reports builds of them. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { mintToken } from "../../src/config/tokens.ts";
import { overlayOf } from "./monorepo.ts";

export interface Place {
  directory: string;
  configFile: string;
  token: string;
  /** Of the token, for the database. */
  hash: string;
  close(): Promise<void>;
}

export function appName(app: number): string {
  return `app-${String(app).padStart(5, "0")}`;
}

const imageOf = (app: number): string => `registry.example.com/${appName(app)}`;

/** `database` as in a configuration; without one, PostgreSQL is started in the place's own folder. */
export async function openPlace(input: {
  repositoryUrl: string;
  apps: readonly number[];
  database?: Record<string, string>;
}): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-place-"));
  // Run by root, PostgreSQL works as another user, who has to get to its data.
  await chmod(directory, 0o711);
  const { repositoryUrl, apps, database = { embedded: join(directory, "data") } } = input;
  const configFile = join(directory, "gitspan.yaml");
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database,
    repositories: { gitops: { url: repositoryUrl } },
    environments: { dev: {} },
    apps: Object.fromEntries(
      apps.map((app) => [
        appName(app),
        { images: { app: imageOf(app) }, targets: { dev: { kustomize: dirname(overlayOf(app)) } } },
      ]),
    ),
    access: [{ subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
    limits: { buildsPerMinute: 100_000 },
  };
  await writeFile(configFile, stringify(configuration));
  const { token, hash } = mintToken();
  return { directory, configFile, token, hash, close: () => rm(directory, { recursive: true, force: true }) };
}

/** Reports a build, the same again under the same tag; gives the status, or undefined where nobody answered. */
export async function postBuild(
  { token }: Place,
  address: string,
  build: { app: number; tag: string; finishedAt?: Date },
): Promise<number | undefined> {
  const { app, tag, finishedAt = new Date() } = build;
  const uid = `${appName(app)}-${tag}`;
  const body = JSON.stringify({
    images: [{ image: `${imageOf(app)}:${tag}` }],
    source: {
      repository: "https://git.example.com/shop/all.git",
      commit: Buffer.from(uid).toString("hex").padEnd(40, "0").slice(-40),
    },
    run: { kind: "PipelineRun", name: uid, uid, finishedAt: finishedAt.toISOString() },
  });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    const response = await fetch(`${address}/v1/builds`, { method: "POST", body, headers });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}
