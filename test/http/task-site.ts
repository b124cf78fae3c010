import type { LightMyRequestResponse } from "fastify";
import { expect } from "vitest";
import type { StoredRun } from "../fakes/kubernetes-api.ts";
import { type LastTask, lastTask, RUN, store } from "../tekton/last-task.ts";
import { type EventSite, startEventSite } from "./event-site.ts";

export const IMAGE = "127.0.0.1:5000/busybox";
export const DIGEST = "sha256:4ef00b341420361e7ac14d0310e630ca077d3af9318e88da7efd9af8e1917a78";
export const SUBJECT = "serviceaccount:demo/gitops-bump";

/** An event site whose API server has a run in its last task. */
export interface TaskSite extends EventSite {
  task: LastTask;
  post(body?: unknown, options?: { token?: string; headers?: Record<string, string> }): Promise<LightMyRequestResponse>;
  expectNothing(): Promise<void>;
  /** One refusal, counted and logged without the token, and nothing has changed. */
  expectRefused(reason: string, token?: string): Promise<void>;
  /** One more task of the run. */
  addTask(name: string, status: Record<string, unknown>): StoredRun;
}

export async function startTaskSite(options: { namespaces?: string[] } = {}): Promise<TaskSite> {
  const site = await startEventSite(options);
  const task = lastTask();
  store(site.api, task);
  site.allow([
    { subject: SUBJECT, actions: ["deliver"], apps: ["*"], environments: ["*"] },
    { subject: "tekton:main/demo", actions: ["deliver"], apps: ["*"], environments: ["*"] },
  ]);
  const expectNothing = async (): Promise<void> => expect(await site.store.countDeliveries()).toEqual([]);
  return {
    ...site,
    task,
    post: (body = { run: RUN }, { token = task.token, headers = {} } = {}) =>
      site.test.post(body, { headers: { authorization: `Bearer ${token}`, ...headers } }),
    expectNothing,
    async expectRefused(reason, token = task.token) {
      await expectNothing();
      expect(site.test.ports.refused).toEqual([reason]);
      const line = site.test.ports.logged.find(({ message }) => message === "a caller was refused");
      expect(line?.fields["reason"]).toBe(reason);
      expect(JSON.stringify(site.test.ports.logged)).not.toContain(token);
    },
    addTask(name, status) {
      const metadata = { ...task.tasks.build.metadata, name: `good-s8z86-${name}`, uid: `uid-of-${name}` };
      const run = { kind: "TaskRun", apiVersion: "tekton.dev/v1", metadata, status };
      const children = task.run.status["childReferences"] as Record<string, unknown>[];
      const known = children.filter((child) => child["pipelineTaskName"] !== name);
      task.run.status["childReferences"] = [...known, { kind: "TaskRun", name: metadata.name, pipelineTaskName: name }];
      site.api.put(run);
      return run;
    },
  };
}

/** Changes every owner of an object. */
export function owners(object: StoredRun, change: Record<string, unknown>): void {
  const all = (object.metadata["ownerReferences"] ?? []) as Record<string, unknown>[];
  object.metadata["ownerReferences"] = all.map((each) => ({ ...each, ...change }));
}
