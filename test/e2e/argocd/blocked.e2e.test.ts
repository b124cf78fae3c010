import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, Kube } from "../cluster/kube.ts";
import { startController } from "../cluster/parts/argocd.ts";
import { stop } from "../cluster/supervisor.ts";
import { environment, notOurs, runId, until } from "../fixtures/environment.ts";
import { Fleet } from "../fixtures/fleet.ts";

const PROJECT = `windowed-${runId}`;
const APPS = {
  manual: { manual: true },
  window: { project: PROJECT },
  ondelete: { kind: "StatefulSet" },
  stopped: {},
} as const;

const argocd = new Kube(environment.kubeconfig, "argocd");
const project = (windows: object[]) => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AppProject",
  metadata: { name: PROJECT },
  spec: {
    sourceRepos: ["*"],
    destinations: [{ server: "*", namespace: "*" }],
    clusterResourceWhitelist: [{ group: "*", kind: "*" }],
    syncWindows: windows,
  },
});

if (notOurs !== undefined) console.log(`one test of argocd/blocked.e2e.test.ts is skipped: ${notOurs}`);

describe("a delivery that cannot go on is neither healthy nor failed, and says why", () => {
  let fleet: Fleet;

  beforeAll(async () => {
    await argocd.apply(project([]));
    fleet = await Fleet.open("blocked", APPS);
  });
  afterAll(async () => {
    await fleet?.close();
    await argocd.remove(project([]));
  });

  it("an Application that is synced by hand, until somebody does", async () => {
    const delivery = await fleet.deliver("manual", "1.1.0");
    await fleet.says(delivery, "manual-sync");
    expect(await fleet.member("manual").runs("1.0.0")).toBe(true);
    await fleet.member("manual").workload.sync();
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "healthy" });
    expect(await fleet.member("manual").runs("1.1.0")).toBe(true);
  });

  it("a sync window, until it is over", async () => {
    const deny = { kind: "deny", schedule: "* * * * *", duration: "1h", applications: ["*"], manualSync: false };
    await argocd.apply(project([deny]));
    const delivery = await fleet.deliver("window", "1.1.0");
    await fleet.says(delivery, "sync-window");
    await argocd.apply(project([]));
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "healthy" });
  });

  it("Pods that stay as they are although all is Synced and Healthy, until somebody deletes them", async () => {
    const delivery = await fleet.deliver("ondelete", "1.1.0");
    await fleet.says(delivery, "image-mismatch");
    const { workload } = fleet.member("ondelete");
    const status = at(await workload.application(), "status");
    expect([at(status, "sync", "status"), at(status, "health", "status")]).toEqual(["Synced", "Healthy"]);
    await workload.deletePods();
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "healthy" });
    expect(await fleet.member("ondelete").runs("1.1.0")).toBe(true);
  });

  it.skipIf(notOurs !== undefined)("a controller that is stopped in the middle, until it is back", async () => {
    await stop("argocd-application-controller");
    const delivery = await fleet.deliver("stopped", "1.1.0");
    await until("written", async () => (await fleet.bridge.client.delivery(delivery.id)).commit);
    await new Promise((resolve) => {
      setTimeout(resolve, 15_000);
    });
    expect((await fleet.bridge.client.delivery(delivery.id)).phase).toBe("following");
    await startController();
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "healthy" });
  });
});
