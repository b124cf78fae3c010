import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signed } from "../../tasks/webhooks.ts";
import { at, Kube, type Manifest, manifestsOf } from "../cluster/kube.ts";
import { BUSYBOX, digestOf, push } from "../cluster/parts/registry.ts";
import { startEventListener, stopEventListener } from "../cluster/parts/triggers.ts";
import { addresses } from "../cluster/places.ts";
import { BridgeProcess, QUICK } from "../fixtures/bridge-process.ts";
import { CiNamespace } from "../fixtures/ci-namespace.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { GitopsRepository } from "../fixtures/gitops-repository.ts";
import { PROGRAMS } from "../fixtures/programs.ts";
import { SourceRepository } from "../fixtures/source-repository.ts";
import { appFiles, overlayOf, Workload } from "../fixtures/workload.ts";

if (notOurs !== undefined) console.log(`tekton/pipeline.e2e.test.ts is skipped: ${notOurs}`);

const SECRET = "the secret of the webhook";
const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: `token-${runId}` } };
const DOCKERFILE = 'ARG BASE\nFROM ${BASE}\nCOPY run.sh version /\nENTRYPOINT ["/bin/sh", "/run.sh"]\n';

describe.skipIf(notOurs !== undefined)(
  "the shipped pipeline, from a push to a healthy version",
  { timeout: 600_000 },
  () => {
    const app = `webhook-${runId}`;
    const repository = `platform/${app}`;
    const image = `${environment.registry}/${repository}`;
    let ci: CiNamespace;
    let source: SourceRepository;
    let gitops: GitopsRepository;
    let workload: Workload;
    let bridge: BridgeProcess;

    beforeAll(async () => {
      ci = await CiNamespace.install(`webhook-ci-${runId}`, SECRET);
      source = await SourceRepository.create(app);
      const digest = push({
        name: `${repository}:first`,
        base: BUSYBOX,
        entrypoint: ["/bin/sh", "/run.sh"],
        fill: (root) => {
          writeFileSync(path.join(root, "run.sh"), `${PROGRAMS.serve}\n`);
          writeFileSync(path.join(root, "version"), "first\n");
        },
      });
      gitops = await GitopsRepository.create(`gitops-${app}`, appFiles(app, "dev", image, { tag: "first", digest }));
      workload = new Workload(app, "dev");
      await workload.deploy(gitops.url, overlayOf(app, "dev"));
      await ci.kube.apply(...manifestsOf("tasks/rbac/bridge.yaml"));
      bridge = await BridgeProcess.start({
        repositoryUrl: gitops.url,
        apps: [{ name: app, image, source: source.url, overlays: { dev: overlayOf(app, "dev") } }],
        environments: { dev: QUICK },
        namespaces: [ci.namespace],
        deliverers: [`serviceaccount:${ci.namespace}/deliver`],
      });
      await startEventListener(ci.namespace, "ci", Number(new URL(addresses.eventListener).port));
      await source.addWebhook(addresses.eventListener, SECRET);
    });

    afterAll(async () => {
      await stopEventListener("ci");
      await bridge.close();
      await workload.close();
      await ci.close();
      await gitops.close();
      await source.close();
    });

    function pushVersion(version: string, test = "exit 0", branch = "main"): string {
      return source.push(
        {
          Dockerfile: DOCKERFILE,
          "run.sh": `${PROGRAMS.serve}\n`,
          version: `${version}\n`,
          "ci/test.sh": `#!/bin/sh\ngrep -q ${version} version\n${test}\n`,
        },
        branch,
      );
    }

    /** The run of a commit; there is one at most. */
    async function runOf(commit: string): Promise<Manifest | undefined> {
      const runs = await ci.kube.list("tekton.dev/v1", "PipelineRun");
      return runs.find((run) => JSON.stringify(at(run, "spec", "params")).includes(commit));
    }

    async function finished(commit: string): Promise<Manifest> {
      const run = await until(`run of ${commit}`, () => runOf(commit));
      return await ci.ended({ ...run, kind: "PipelineRun" });
    }

    function status(run: unknown): unknown {
      return at(run, "status", "conditions", 0, "reason");
    }

    it("builds, delivers and waits until it runs, though the bridge is killed while the Task waits", async () => {
      const commit = pushVersion("one");
      const run = await until("the run", () => runOf(commit));
      const name = String(run.metadata?.name);
      await until(
        "the Task waits",
        async () => {
          const waiting = (await ci.tasksOf(name)).get("wait-for-delivery");
          return at(waiting, "status", "steps", 0, "running") === undefined ? undefined : true;
        },
        240,
      );
      await bridge.kill();
      await bridge.start();
      const ended = await ci.ended({ ...run, kind: "PipelineRun" });
      const tasks = await ci.tasksOf(name);
      expect(
        status(ended),
        JSON.stringify([...tasks.values()].map((task) => at(task, "status", "conditions"))),
      ).toMatch(/^(?:Succeeded|Completed)$/);
      expect([...tasks.keys()].toSorted()).toEqual([
        "build-image",
        "deliver",
        "git-clone",
        "prepare-source",
        "report",
        "run-tests",
        "wait-for-delivery",
      ]);
      const digest = digestOf(`${repository}:${commit.slice(0, 12)}`);
      expect(resultOf(ended, "IMAGE_DIGEST")).toBe(digest);
      expect(resultOf(ended, "CHAINS-GIT_COMMIT")).toBe(commit);
      expect(at(resultOf(tasks.get("wait-for-delivery"), "outcomes"), 0)).toBe(`${app}/dev healthy`);
      const [delivered] = gitops.history();
      expect(gitops.messageOf(delivered ?? "")).toContain(`Gitspan-Source-Commit: ${commit}`);
      const pods = await workload.pods();
      expect(pods.every(({ image: runs, ready }) => ready && runs.endsWith(`@${digest}`))).toBe(true);
    });

    it.each(["deliver", "wait-for-delivery", "rollback"])(
      "%s fails for an account that gitspan does not know",
      async (task) => {
        const before = gitops.tip();
        const [manifest] = ci.filled(`task/${task}/0.1/tests/run.yaml`, {});
        const ended = await ci.run(manifest ?? {});
        const run = (await ci.tasksOf(String(ended.metadata?.name))).get(task);
        expect(status(ended)).toBe(at(manifest, "metadata", "annotations", "expect"));
        // Refused, or nothing that it may see: not that gitspan was not reached.
        expect([1, 4]).toContain(at(run, "status", "steps", 0, "terminated", "exitCode"));
        expect(gitops.tip()).toBe(before);
      },
    );

    it("delivers nothing when the tests fail, and pushes no image", async () => {
      const before = gitops.tip();
      const commit = pushVersion("two", "exit 1");
      const ended = await finished(commit);
      expect(status(ended)).toBe("Failed");
      const tasks = await ci.tasksOf(String(ended.metadata?.name));
      expect([...tasks.keys()].toSorted()).toEqual(["git-clone", "prepare-source", "report", "run-tests"]);
      expect(digestOf(`${repository}:${commit.slice(0, 12)}`)).toBeUndefined();
      expect(gitops.tip()).toBe(before);
    });

    it("starts nothing for a wrong signature, another branch, and another forge's secret", async () => {
      const before = (await ci.kube.list("tekton.dev/v1", "PipelineRun")).length;
      const commit = pushVersion("three", "exit 0", "feature");
      const ids = await Promise.all([send("gitea", "wrong", commit), send("github", SECRET, commit)]);
      // A run that was started by any of them would be there long before one that comes after.
      const later = pushVersion("four", "exit 1");
      await finished(later);
      for (const id of ids) expect(await ci.runsOfEvent(id)).toEqual([]);
      expect((await ci.kube.list("tekton.dev/v1", "PipelineRun")).length).toBe(before + 1);
    });

    /** A push that is not Gitea's; returns the id that the listener gave it. */
    async function send(forge: string, secret: string, commit: string): Promise<string> {
      const body = {
        ref: "refs/heads/main",
        after: commit,
        deleted: false,
        repository: { full_name: repository, clone_url: source.url, default_branch: "main" },
      };
      const headers: Record<string, string> = { "content-type": "application/json", "x-github-event": "push" };
      if (forge === "gitea") headers["x-gitea-event"] = "push";
      const webhook = signed({ name: "", forge, headers, body: JSON.stringify(body) }, secret);
      const answer = await fetch(addresses.eventListener, {
        method: "POST",
        headers: { ...webhook.headers },
        body: webhook.body,
      });
      expect(answer.status).toBe(202);
      return String(at(await answer.json(), "eventID"));
    }

    it("changes nothing for a token of another namespace, one that is bound to no Pod, one of another audience, and a forged event", async () => {
      const before = gitops.tip();
      const elsewhere = new Kube(environment.kubeconfig, "default");
      const [theirs, ours] = [await pod(elsewhere, "default"), await pod(ci.kube, "deliver")];
      const tokens = {
        "bound to a Pod of another namespace": await elsewhere.token("default", ["gitspan"], theirs),
        "bound to a Pod that is of no run": await ci.kube.token("deliver", ["gitspan"], ours),
        "bound to no Pod": await ci.kube.token("deliver", ["gitspan"]),
        "of another audience": await ci.kube.token("deliver", ["https://kubernetes.default.svc"], ours),
      };
      for (const [what, token] of Object.entries(tokens)) {
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        const answer = await fetch(`${environment.bridgeUrl}/v1/builds`, { method: "POST", headers, body: "{}" });
        expect([401, 403], what).toContain(answer.status);
      }
      const forged = await fetch(`${environment.bridgeUrl}/v1/events/tekton`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "ce-id": "forged",
          "ce-source": "/apis///namespaces/x//y",
          "ce-specversion": "1.0",
          "ce-type": "dev.tekton.event.pipelinerun.successful.v1",
        },
        body: JSON.stringify({
          pipelineRun: {
            metadata: { name: "forged", namespace: ci.namespace, uid: "5d1f0b6e-0000-4000-8000-000000000000" },
            status: {
              conditions: [{ type: "Succeeded", status: "True", reason: "Succeeded" }],
              pipelineResults: [
                { name: "IMAGE_URL", value: `${image}:first` },
                { name: "IMAGE_DIGEST", value: digestOf(`${repository}:first`) },
              ],
            },
          },
        }),
      });
      expect(await forged.json()).toMatchObject({ result: "ignored", reason: "run-gone" });
      expect(gitops.tip()).toBe(before);
      for (const kube of [elsewhere, ci.kube]) await kube.remove(POD);
    });

    /** It need not run: the token is bound to its name and uid. */
    async function pod(kube: Kube, serviceAccountName: string): Promise<Manifest> {
      const sleep = { name: "sleep", image: environment.busybox, args: ["sleep", "600"] };
      await kube.apply({ ...POD, spec: { serviceAccountName, hostNetwork: true, containers: [sleep] } });
      return await kube.read(POD);
    }
  },
);

function resultOf(run: unknown, name: string): unknown {
  const results = at(run, "status", "results");
  const found = Array.isArray(results) ? results.find((one) => at(one, "name") === name) : undefined;
  return at(found, "value");
}
