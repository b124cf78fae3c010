import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube, parseManifests } from "../cluster/kube.ts";
import { startEventListener, stopEventListener } from "../cluster/parts/triggers.ts";
import { addresses } from "../cluster/places.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";

const namespace = `triggers-${runId}`;
const commit = "28911bbb5a3e2ea034daf1f6be0a822d50e31e73";
const RBAC = "rbac.authorization.k8s.io";

if (notOurs !== undefined) console.log(`tekton/trigger.e2e.test.ts is skipped: ${notOurs}`);

describe.skipIf(notOurs !== undefined)("the cluster's Triggers", () => {
  const kube = new Kube(environment.kubeconfig, namespace);

  beforeAll(async () => {
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const text = readFileSync(path.join(import.meta.dirname, "trigger.yaml"), "utf8");
    await kube.apply(...parseManifests(text.replace("BUSYBOX", environment.busybox)));
    const subjects = [{ kind: "ServiceAccount", name: "listener", namespace }];
    const role = (name: string) => ({ apiGroup: RBAC, kind: "ClusterRole", name });
    await kube.apply(
      {
        apiVersion: `${RBAC}/v1`,
        kind: "RoleBinding",
        metadata: { name: "listener" },
        subjects,
        roleRef: role("tekton-triggers-eventlistener-roles"),
      },
      {
        apiVersion: `${RBAC}/v1`,
        kind: "ClusterRoleBinding",
        metadata: { name: `listener-${namespace}` },
        subjects,
        roleRef: role("tekton-triggers-eventlistener-clusterroles"),
      },
    );
    await startEventListener(namespace, "github", Number(new URL(addresses.eventListener).port));
  });

  afterAll(async () => {
    await stopEventListener("github");
    await kube.remove({
      apiVersion: `${RBAC}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: `listener-${namespace}` },
    });
    await kube.remove({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  });

  /** Sends a push as GitHub does; returns the event's id. */
  async function push(ref: string, secret: string): Promise<string> {
    const body = JSON.stringify({ ref, head_commit: { id: commit } });
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": `sha256=${signature}`,
    };
    const answer = await fetch(addresses.eventListener, { method: "POST", headers, body });
    return String(at(await answer.json(), "eventID"));
  }

  function runsOf(eventId: string) {
    return kube.list("tekton.dev/v1", "TaskRun", `triggers.tekton.dev/triggers-eventid=${eventId}`);
  }

  it("start a run for a signed push to the branch, and nothing for a wrong signature or another branch", async () => {
    const refused = [await push("refs/heads/main", "wrong"), await push("refs/heads/other", "e2e-webhook-secret")];
    const accepted = await push("refs/heads/main", "e2e-webhook-secret");
    const run = await until("the run", async () => {
      const [found] = await runsOf(accepted);
      return at(found, "status", "completionTime") === undefined ? undefined : found;
    });
    expect(run?.metadata?.name).toMatch(/^push-28911bb-/);
    expect(at(run, "status", "results", 0, "value")).toBe(commit);
    for (const eventId of refused) expect(await runsOf(eventId)).toEqual([]);
  });
});
