import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../fixtures/environment.ts";
import { Fleet } from "../fixtures/fleet.ts";

/** One app per scenario: they run at the same time. */
const APPS = {
  healthy: {},
  twin: {},
  missing: {},
  late: { policy: { settle: "30s" } },
  hook: { hook: "! grep -q 1.1.0 /version" },
  zero: {},
  stranger: {},
  fixed: {},
};

describe("how a roll-out ends on a real Argo CD", { concurrent: true }, () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.open("rollouts", APPS);
  });
  afterAll(async () => {
    await fleet?.close();
  });

  it("healthy, for two apps whose commits come in one push", async () => {
    const deliveries = await Promise.all([fleet.deliver("healthy", "1.1.0"), fleet.deliver("twin", "1.1.0")]);
    for (const [index, app] of ["healthy", "twin"].entries()) {
      expect(await fleet.ended(deliveries[index]!)).toMatchObject({ outcome: "healthy" });
      expect(await fleet.member(app).runs("1.1.0")).toBe(true);
    }
  });

  it("failed, when the image does not exist, while the old version runs on", async () => {
    const delivery = await fleet.report("missing", { tag: "1.1.0", digest: `sha256:${"0".repeat(64)}` });
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "failed", reason: "degraded" });
    const pods = await fleet.member("missing").workload.pods();
    const old = fleet.member("missing").digest("1.0.0");
    expect(pods.filter(({ image, ready }) => ready && image.endsWith(old))).toHaveLength(2);
  });

  it("failed, when the new version dies after it was ready", async () => {
    const delivery = await fleet.deliver("late", "1.1.0", "late");
    const ended = await fleet.ended(delivery);
    expect(ended.outcome).toBe("failed");
    expect(["crashing", "degraded"]).toContain(ended.reason);
  });

  it("failed, when a hook of the sync fails, although the Pods are ready", async () => {
    expect(await fleet.ended(await fleet.deliver("hook", "1.1.0"))).toMatchObject({
      outcome: "failed",
      reason: "sync",
    });
  });

  it("healthy, when the app is scaled to zero on purpose", async () => {
    fleet.repository.commit("chore: scale to zero", {
      [fleet.member("zero").overlay]: (text) => `${text}replicas: [{name: ${fleet.member("zero").app}, count: 0}]\n`,
    });
    const { workload } = fleet.member("zero");
    await workload.refresh();
    await until("no Pods", async () => ((await workload.pods()).length === 0 ? true : undefined));
    expect(await fleet.ended(await fleet.deliver("zero", "1.1.0"))).toMatchObject({ outcome: "healthy" });
  });

  it("healthy at a later commit, when a stranger's commit comes while it rolls out", async () => {
    const delivery = await fleet.deliver("stranger", "1.1.0");
    await until("written", async () => (await fleet.bridge.client.delivery(delivery.id)).commit);
    fleet.repository.commit("docs: read me", { "README.md": (text) => `${text}# shop\n` });
    expect(await fleet.ended(delivery)).toMatchObject({ outcome: "healthy" });
    expect(await fleet.member("stranger").runs("1.1.0")).toBe(true);
  });

  it("superseded or failed, and the next one healthy, when a crash is fixed by a newer build", async () => {
    const broken = await fleet.deliver("fixed", "1.1.0", "crash");
    await until("written", async () => (await fleet.bridge.client.delivery(broken.id)).commit);
    const good = await fleet.deliver("fixed", "1.2.0");
    expect((await fleet.ended(broken)).outcome).toMatch(/^(superseded|failed)$/);
    expect(await fleet.ended(good)).toMatchObject({ outcome: "healthy" });
    expect(await fleet.member("fixed").runs("1.2.0")).toBe(true);
  });
});
