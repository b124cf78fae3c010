import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asStored } from "../fakes/kubernetes-api.ts";
import { aToken, RUN, recordedReview, running } from "../tekton/last-task.ts";
import { recordedEvent } from "../tekton/recordings.ts";
import { COMMIT, SOURCE } from "../tekton/samples.ts";
import { sentOf } from "./event-site.ts";
import { DIGEST, IMAGE, owners, SUBJECT, startTaskSite, type TaskSite } from "./task-site.ts";

let site: TaskSite;
beforeEach(async () => {
  site = await startTaskSite();
});
afterEach(() => site.close());

describe("the last task of a run", () => {
  it("delivers what the task that builds has built, from the source that the run names", async () => {
    const response = await site.post({ run: RUN, images: [{ image: `${IMAGE}:lab@${DIGEST}` }] });
    expect(response.statusCode, response.body).toBe(202);
    const build = response.json<Record<string, unknown>>();
    expect(response.headers.location).toBe(`/v1/builds/${String(build["id"])}`);
    expect(build).toMatchObject({
      subject: SUBJECT,
      images: [{ repository: IMAGE, tag: "lab", digest: DIGEST }],
      source: { repository: SOURCE, commit: COMMIT, ref: "refs/heads/main" },
      run: { kind: "PipelineRun", ...RUN, cluster: "main" },
      deliveries: [{ target: "checkout/staging" }],
    });
  });

  it("is of a run without an end, and of the TaskRun that made the image", async () => {
    const id = (await site.post()).json<{ id: string }>().id;
    const build = await site.store.build(id);
    expect(build?.run).not.toHaveProperty("finishedAt");
    expect(build?.run?.taskUids).toEqual([site.task.tasks.build.metadata["uid"]]);
  });

  it("needs no body, and is a repeat the second time", async () => {
    expect((await site.post({})).statusCode).toBe(202);
    expect((await site.post({})).statusCode).toBe(200);
    expect((await site.store.deliveries({ limit: 10 })).items).toHaveLength(1);
  });

  it("and the end of the same run by an event are one build, whichever comes first", async () => {
    const id = (await site.post()).json<{ id: string }>().id;
    const ended = recordedEvent("025-pipelinerun.successful-good-s8z86");
    const run = asStored("PipelineRun", ended.body["pipelineRun"] ?? {});
    run.metadata["annotations"] = site.task.run.metadata["annotations"];
    site.api.put(run);
    expect((await site.send(sentOf(ended))).json()).toEqual({ result: "repeat", build: id });
    expect((await site.post()).json<{ id: string }>().id).toBe(id);
    expect((await site.store.deliveries({ limit: 10 })).items).toHaveLength(1);
  });

  it("may look at what it has delivered with the same token", async () => {
    const { location } = (await site.post()).headers;
    expect((await site.test.get(String(location), site.task.token)).json()).toMatchObject({ subject: SUBJECT });
  });

  it("is asked about once in half a minute, its run each time", async () => {
    await site.post();
    const first = site.api.requests.length;
    await site.post();
    const again = site.api.requests.slice(first);
    expect(again).not.toContain("/apis/authentication.k8s.io/v1/tokenreviews");
    expect(again).toContain("/apis/tekton.dev/v1/namespaces/demo/pipelineruns/good-s8z86");
  });

  it("in finally delivers while other tasks of finally still run", async () => {
    const spec = site.task.run.status["pipelineSpec"] as { tasks: { name: string }[]; finally?: unknown };
    spec.finally = [{ name: "report" }, { name: "gitops-bump" }];
    spec.tasks = spec.tasks.filter(({ name }) => name !== "gitops-bump");
    site.addTask("report", { conditions: [running()] });
    expect((await site.post()).statusCode).toBe(202);
  });

  it("takes the source from the task that cloned, unless two tasks cloned different things", async () => {
    delete site.task.run.metadata["annotations"];
    site.task.tasks.build.status["results"] = (site.task.tasks.build.status["results"] as { name: string }[]).filter(
      ({ name }) => name !== "commit",
    );
    const cloned = (commit: string) => ({
      conditions: [{ type: "Succeeded", status: "True", reason: "Succeeded" }],
      results: [
        { name: "url", value: `${SOURCE}\n` },
        { name: "commit", value: commit },
        { name: "committer-date", value: "1700000000" },
      ],
    });
    site.addTask("clone", cloned("c".repeat(40)));
    site.addTask("clone-config", cloned("d".repeat(40)));
    expect((await site.post()).json()).toMatchObject({
      code: "run-refused",
      detail: expect.stringContaining("no source"),
    });
    await site.expectNothing();
    expect(site.test.ports.refused).toEqual(["no-source"]);
    site.api.remove(site.addTask("clone-config", cloned("c".repeat(40))));
    site.addTask("clone-config", cloned("c".repeat(40)));
    expect((await site.post()).json()).toMatchObject({
      source: { repository: SOURCE, commit: "c".repeat(40), time: "2023-11-14T22:13:20.000Z" },
    });
  });
});

describe("a token", () => {
  const cases: [string, () => void | string, string][] = [
    ["that is bound to no Pod", () => review("not-bound-to-a-pod"), "not-bound-to-a-pod"],
    ["for another audience", () => aToken({ aud: ["https://kubernetes.default.svc"] }), "audience"],
    [
      "that says our audience, where the API server says another",
      () => review("another-audience"),
      "not-authenticated",
    ],
    ["with a forged signature", () => review("forged-signature"), "not-authenticated"],
    ["whose Pod is gone", () => review("pod-is-gone"), "not-authenticated"],
    ["that has expired", () => aToken({ exp: 1_700_000_000 }), "expired"],
    ["that the API server does not know", () => aToken({ jti: "another" }), "not-authenticated"],
    ["of somebody who is no service account", () => user("ada"), "not-a-service-account"],
    ["that is no token at all", () => "hunter2", "unknown-token"],
    ["without an end", () => aToken({ exp: undefined }), "unknown-token"],
    ["whose claims are no JSON", () => `${"e".repeat(20)}.${"x".repeat(20)}.${"y".repeat(20)}`, "unknown-token"],
  ];
  it.each(cases)("%s is a 401 that tells nothing, is counted, and changes nothing", async (_name, make, reason) => {
    const token = make() ?? site.task.token;
    const response = await site.post({ run: RUN }, { token });
    expect(response.statusCode).toBe(401);
    expect(response.headers["www-authenticate"]).toContain("invalid_token");
    expect(response.json<{ code: string }>().code).toBe("unauthenticated");
    expect(response.body).not.toMatch(/demo|gitops-bump|kubernetes/);
    await site.expectRefused(reason, token);
  });

  function review(name: string): void {
    site.api.reviews.set(site.task.token, recordedReview(name));
  }

  function user(username: string): void {
    const { audience, status } = recordedReview("bound-to-a-pod");
    site.api.reviews.set(site.task.token, { audience, status: { ...status, user: { username } } });
  }
});

describe("a Pod", () => {
  it.each<[string, () => void, string]>([
    ["that is not there any more", () => site.api.remove(site.task.pod), "pod"],
    ["that has another uid now", () => Object.assign(site.task.pod.metadata, { uid: "another" }), "pod"],
    ["with another service account", () => Object.assign(site.task.pod.spec, { serviceAccountName: "default" }), "pod"],
    ["that belongs to nobody", () => Object.assign(site.task.pod.metadata, { ownerReferences: [] }), "not-a-task"],
    ["of a ReplicaSet", () => owners(site.task.pod, { apiVersion: "apps/v1", kind: "ReplicaSet" }), "not-a-task"],
    ["of somebody else's TaskRun kind", () => owners(site.task.pod, { apiVersion: "evil.dev/v1" }), "not-a-task"],
    ["that only says whose it is", () => owners(site.task.pod, { controller: false }), "not-a-task"],
    ["of a TaskRun of another uid", () => owners(site.task.pod, { uid: "another" }), "not-a-task"],
    ["that names a TaskRun which has another Pod", () => podOf("another-pod"), "not-a-task"],
    [
      "of a TaskRun of another PipelineRun",
      () => owners(site.task.tasks["gitops-bump"], { uid: "u" }),
      "not-of-the-run",
    ],
  ])("%s is a 403, counted, and changes nothing", async (_name, change, reason) => {
    change();
    const response = await site.post();
    expect(response.statusCode, response.body).toBe(403);
    expect(response.body).not.toMatch(/gitops-bump|good-s8z86/);
    await site.expectRefused(reason, site.task.token);
  });

  it("of a namespace that does not count is a 403 before anything is read", async () => {
    await site.close();
    site = await startTaskSite({ namespaces: ["shop-ci"] });
    expect((await site.post()).statusCode).toBe(403);
    expect(site.api.requests).toEqual(["/apis/authentication.k8s.io/v1/tokenreviews"]);
    await site.expectRefused("namespace", site.task.token);
  });

  it.each<[string, () => void]>([
    ["TaskRun does not name its Pod yet", () => podOf(undefined)],
    ["run does not list its TaskRun yet", () => Object.assign(site.task.run.status, { childReferences: [] })],
  ])("whose %s may come again", async (_name, change) => {
    change();
    const response = await site.post();
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([409, "run-not-ready"]);
    await site.expectNothing();
  });

  function podOf(name: string | undefined): void {
    site.task.tasks["gitops-bump"].status["podName"] = name;
  }
});

it("the header that names the cluster has to name one", async () => {
  expect((await site.post({}, { headers: { "gitspan-cluster": "main" } })).statusCode).toBe(202);
  expect((await site.post({}, { headers: { "gitspan-cluster": "edge" } })).statusCode).toBe(400);
  expect((await site.post({}, { headers: { "gitspan-cluster": "../x" } })).statusCode).toBe(400);
});
