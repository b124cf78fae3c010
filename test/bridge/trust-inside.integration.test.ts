import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Bridge, startBridge } from "../../src/bridge.ts";
import { databaseDeps } from "../fakes/database.ts";
import { type GitServer, startGitServer } from "../fakes/git-http-server.ts";
import { FakeKubernetesApi } from "../fakes/kubernetes-api.ts";
import { RegistryServer } from "../fakes/registry-server.ts";
import { AUDIENCE, lastTask, RUN, store } from "../tekton/last-task.ts";
import { recordedAnswer, recordingOf } from "../trust/recordings.ts";

// A run in its last task, and what Chains signed of it: first its Task alone, the whole run after its end.
const recording = recordingOf("cosign-ecdsa-v2alpha4");
const task = asRecorded(lastTask());
let directory: string;
let git: GitServer;
let api: FakeKubernetesApi;
let registry: RegistryServer;
let bridge: Bridge;
let hasEnded = false;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gitspan-trust-inside-"));
  await chmod(directory, 0o711);
  [git, api] = await Promise.all([startGitServer(), FakeKubernetesApi.start()]);
  store(api, task);
  registry = await RegistryServer.start(({ url }) => {
    const answer = recordedAnswer(recording, url);
    return answer === undefined || hasEnded || !url.endsWith(".att") ? answer : { status: 200, body: tasksOnly() };
  });
  const overlay = `images:\n- name: ${recording.image}\n  newTag: "0"\n`;
  await git.createRepository("gitops", { "dev/kustomization.yaml": overlay, "prod/kustomization.yaml": overlay });
  await writeFile(join(directory, "cosign.pub"), recording.trustedKey ?? "");
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(configFile, stringify(configuration()));
  bridge = await startBridge({ configFile, log: databaseDeps.log });
});
afterAll(async () => {
  await bridge?.close();
  await Promise.all([git?.close(), api?.close(), registry?.close()]);
  await rm(directory, { recursive: true, force: true });
});

/** The run in its last task under the uids, the image and the source of the recording. */
function asRecorded(original: ReturnType<typeof lastTask>): ReturnType<typeof lastTask> {
  const {
    run: {
      uid,
      taskUids: [taskUid],
    } = { uid: "", taskUids: [] },
    image,
    tag,
    digest,
    source,
  } = recording;
  const text = JSON.stringify(original)
    .replaceAll(RUN.uid, uid)
    .replaceAll(original.tasks.build.metadata.uid, taskUid ?? "");
  const task = JSON.parse(text) as ReturnType<typeof lastTask>;
  task.run.metadata["annotations"] = {
    "gitspan.dev/source-repository": source.repository,
    "gitspan.dev/source-commit": source.commit,
  };
  task.tasks.build.status["results"] = [
    { name: "IMAGE_URL", value: `${image}:${tag}\n` },
    { name: "IMAGE_DIGEST", value: `${digest}\n` },
  ];
  return task;
}

/** The list of attestations without those of PipelineRuns. */
function tasksOnly(): Buffer {
  const path = `/v2/${recording.image.slice(recording.image.indexOf("/") + 1)}`;
  const read = (name: string) => JSON.parse(String(recordedAnswer(recording, `${path}/${name}`)?.body)) as unknown;
  const manifest = read(`manifests/${recording.digest.replace(":", "-")}.att`) as { layers: { digest: string }[] };
  const layers = manifest.layers.filter(({ digest }) => {
    const { payload } = read(`blobs/${digest}`) as { payload: string };
    return Buffer.from(payload, "base64").toString().includes('"taskRef"');
  });
  expect([layers.length, manifest.layers.length]).toEqual([1, 2]);
  return Buffer.from(JSON.stringify({ ...manifest, layers }));
}

function configuration(): Record<string, unknown> {
  return {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    metricsListen: "127.0.0.1:0",
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: git.url("gitops") } },
    registries: { [recording.image.split("/")[0] ?? ""]: { url: registry.address } },
    tekton: { main: { kubernetes: { kubeconfigFile: api.kubeconfigFile }, audience: AUDIENCE } },
    environments: { dev: { trust: { provenance: "taskrun" } }, prod: {} },
    trust: { cosignKeyFiles: ["cosign.pub"], require: ["dev", "prod"] },
    apps: {
      web: { images: { web: recording.image }, buildTask: "build", targets: { "{env}": { kustomize: "{env}" } } },
    },
    access: [
      { subject: "serviceaccount:demo/gitops-bump", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] },
    ],
  };
}

interface SeenBuild {
  id: string;
  code?: string;
  deliveries: { environment: string; phase: string; waitReason?: string; message?: string }[];
}

async function ask(path: string, body?: unknown): Promise<{ status: number; build: SeenBuild }> {
  const response = await fetch(bridge.address + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${task.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, build: (await response.json()) as SeenBuild };
}

/** What is said of an environment, once it is so. */
async function until(id: string, environment: string, wanted: Partial<SeenBuild["deliveries"][number]>) {
  await expect
    .poll(async () => (await ask(`/v1/builds/${id}`)).build.deliveries.find((one) => one.environment === environment), {
      timeout: 20_000,
    })
    .toMatchObject(wanted);
}

it("a Task is proven by its own uid inside of its run, the whole run after its end, and nobody inside waits for that", async () => {
  const { status, build } = await ask("/v1/builds", {});
  expect(status).toBe(202);
  await until(build.id, "dev", { phase: "following" });
  await until(build.id, "prod", { phase: "waiting", waitReason: "signature" });
  const waiting = await ask(`/v1/builds/${build.id}?wait=60s&until=written`);
  expect(waiting).toMatchObject({ status: 409, build: { code: "provenance-needs-run-end" } });
  hasEnded = true;
  await until(build.id, "prod", { phase: "following" });
  expect(await git.show("gitops", "main", "prod/kustomization.yaml")).toContain(recording.digest);
});
