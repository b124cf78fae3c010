import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Trouble } from "../fakes/kubernetes-api.ts";
import { aToken, failed, type LastTask, RUN, running } from "../tekton/last-task.ts";
import { COMMIT, SOURCE } from "../tekton/samples.ts";
import { DIGEST, IMAGE, owners, startTaskSite, type TaskSite } from "./task-site.ts";

let site: TaskSite;
beforeEach(async () => {
  site = await startTaskSite();
});
afterEach(() => site.close());

describe("a run", () => {
  it.each<[string, () => void, number, string]>([
    ["whose task that builds is not done", () => state("build", running()), 409, "unfinished"],
    ["whose tests still run", () => state("test", running()), 409, "unfinished"],
    ["whose tests have failed", () => state("test", failed()), 422, "run-failed"],
    ["whose task that builds has failed", () => state("build", failed()), 422, "run-failed"],
    [
      "that has failed itself",
      () => Object.assign(site.task.run.status, { conditions: [failed()] }),
      422,
      "run-failed",
    ],
    [
      "that was cancelled",
      () => Object.assign(site.task.run.status, { conditions: [failed("Cancelled")] }),
      422,
      "run-failed",
    ],
    ["of a pull request", () => annotate("pipelinesascode.tekton.dev/pull-request", "7"), 422, "pull-request"],
    ["that another run has made", () => madeBy("CustomRun"), 422, "unfinished"],
    ["that names no source", () => Object.assign(site.task.run.metadata, { annotations: {} }), 422, "no-source"],
    ["whose task that builds names no image", () => results([]), 422, "no-image"],
    ["with half an image", () => results([{ name: "IMAGE_URL", value: IMAGE }]), 422, "no-image"],
    ["whose TaskRun was replaced", () => owners(site.task.tasks.build, { uid: "another" }), 422, "not-of-the-run"],
    ["whose TaskRun is gone", () => site.api.remove(site.task.tasks.build), 422, "not-of-the-run"],
    ["with no task that builds", () => rename("compile"), 422, "no-image"],
    ["whose task that builds has not begun", () => forget("build"), 409, "unfinished"],
    ["that is gone", () => site.api.remove(site.task.run), 403, "not-of-the-run"],
  ])("%s delivers nothing", async (_name, change, status, reason) => {
    change();
    const response = await site.post();
    expect(response.statusCode, response.body).toBe(status);
    await site.expectRefused(reason, site.task.token);
  });

  it("with a failed task that may fail delivers", async () => {
    state("test", failed());
    const { tasks } = site.task.run.status["pipelineSpec"] as { tasks: Record<string, unknown>[] };
    for (const each of tasks) if (each["name"] === "test") each["onError"] = "continue";
    expect((await site.post()).statusCode).toBe(202);
  });

  it.each<[string, unknown, number, string]>([
    ["another run", { run: { ...RUN, uid: "another" } }, 403, "another-run"],
    ["another namespace", { run: { ...RUN, namespace: "shop" } }, 403, "another-run"],
    ["another name", { run: { ...RUN, name: "good-2" } }, 403, "another-run"],
    ["another image", { images: [{ image: `registry.example.com/evil@${DIGEST}` }] }, 422, "another-image"],
    ["another digest", { images: [{ image: IMAGE, digest: `sha256:${"e".repeat(64)}` }] }, 422, "another-image"],
    ["another tag", { images: [{ image: `${IMAGE}:latest` }] }, 422, "another-image"],
    [
      "one right and one wrong image",
      { images: [{ image: `${IMAGE}:lab` }, { image: "x/y:1" }] },
      422,
      "another-image",
    ],
  ])("is not the one of a body that says %s", async (_name, body, status, reason) => {
    const response = await site.post(body);
    expect(response.statusCode, response.body).toBe(status);
    await site.expectRefused(reason, site.task.token);
  });

  it.each<[string, unknown]>([
    ["is a build report", { images: [{ image: `${IMAGE}:lab` }], source: { repository: SOURCE, commit: COMMIT } }],
    ["names half a run", { run: { name: "good-s8z86" } }],
    ["has a line break in a name", { run: { ...RUN, name: "a\nb" } }],
    ["has too many images", { images: Array.from({ length: 51 }, () => ({ image: `${IMAGE}:lab` })) }],
    ["is a list", []],
  ])("is not looked at for a body that %s", async (_name, body) => {
    const response = await site.post(body);
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([400, "bad-request"]);
    await site.expectNothing();
  });

  it("is not delivered where no rule allows it", async () => {
    site.allow([{ subject: "tekton:main/demo", actions: ["deliver"], apps: ["*"], environments: ["*"] }]);
    expect((await site.post()).statusCode).toBe(403);
    await site.expectRefused("no-right", site.task.token);
  });

  it("that a TaskRun of its own is cannot report itself", async () => {
    delete site.task.tasks["gitops-bump"].metadata["ownerReferences"];
    expect((await site.post()).statusCode).toBe(403);
    await site.expectRefused("not-of-the-run", site.task.token);
  });

  function state(name: keyof LastTask["tasks"], condition: Record<string, unknown>): void {
    site.task.tasks[name].status["conditions"] = [condition];
  }
  function results(value: unknown[]): void {
    site.task.tasks.build.status["results"] = value;
  }
  function madeBy(kind: string): void {
    site.task.run.metadata["ownerReferences"] = [{ kind, name: "outer", apiVersion: "tekton.dev/v1", uid: "o" }];
  }
  function annotate(key: string, value: string): void {
    Object.assign(site.task.run.metadata["annotations"] as object, { [key]: value });
  }
  function rename(to: string): void {
    const text = JSON.stringify(site.task.run.status);
    site.task.run.status = JSON.parse(text.replaceAll('"name":"build"', `"name":"${to}"`)) as LastTask["run"]["status"];
    for (const child of site.task.run.status["childReferences"] as Record<string, unknown>[]) {
      if (child["pipelineTaskName"] === "build") child["pipelineTaskName"] = to;
    }
  }
  function forget(name: string): void {
    const children = site.task.run.status["childReferences"] as Record<string, unknown>[];
    site.task.run.status["childReferences"] = children.filter((child) => child["pipelineTaskName"] !== name);
  }
});

describe("an API server that does not do its part", () => {
  it.each<Trouble>([401, 403, 404, 410, 429, 500, 503, "cut", "login-page", "no-tekton", "huge"])(
    "(%s) is a 503 with Retry-After, never a 401",
    async (trouble) => {
      site.api.trouble = trouble;
      const response = await site.post();
      expect(response.statusCode, response.body).toBe(503);
      expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
      expect(response.body).not.toContain("127.0.0.1");
      await site.expectNothing();
      site.api.trouble = undefined;
      expect((await site.post()).statusCode).toBe(202);
    },
  );

  it("is not asked again by somebody who was wrong too often", async () => {
    const wrong = aToken({ jti: "wrong" });
    for (let count = 0; count < 60; count++) await site.post({}, { token: wrong });
    const asked = site.api.requests.length;
    expect((await site.post({}, { token: wrong })).statusCode).toBe(429);
    expect(site.api.requests).toHaveLength(asked);
  });
});
