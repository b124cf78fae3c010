import { afterAll, beforeAll, describe, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import {
  deliveries,
  type Grounds,
  type ListedDelivery,
  openGrounds,
  openSite,
  post,
  type Site,
  startProcess,
  waitDone,
} from "./site.ts";

const FILE = "apps/web/overlays/dev/kustomization.yaml";
/** Calls that only a rollback makes. */
const POINTS = ["before store.rollBack", "after store.rollBack", "before store.written", "before argocd.sick"];

describe("SIGKILL at every step of an automatic rollback, with real PostgreSQL and a real git server", () => {
  let grounds: Grounds;
  beforeAll(async () => {
    grounds = await openGrounds();
  });
  afterAll(() => grounds.close());

  it.concurrent.for(POINTS)(
    "%s: what failed is taken out once, and runs healthy as before",
    { timeout: 180_000 },
    async (point, { expect }) => {
      const site = await openSite(grounds, `rollback-${point.replaceAll(/\W/g, "-")}`);
      const victim = await startProcess(site, point);
      const good = await post(site, victim.address ?? "");
      expect(await waitDone(site, victim.address ?? "", good ?? "")).toMatchObject({ outcome: "healthy" });
      const healthy = await grounds.git.show(site.repository, "main", FILE);
      await post(site, victim.address ?? "", { major: 3, suffix: "-crash" });
      expect(await victim.exited).toBe("SIGKILL");

      const survivor = await startProcess(site);
      const [rollback, bad] = await rolledBack(site, survivor.address ?? "");
      expect(rollback).toMatchObject({ kind: "rollback", outcome: "healthy" });
      expect(bad).toMatchObject({ kind: "build", outcome: "failed", reason: "degraded" });
      expect(await survivor.terminate()).toBe("0");

      expect(await grounds.git.show(site.repository, "main", FILE)).toBe(healthy);
      const log = await grounds.git.log(site.repository);
      expect(log).toHaveLength(4);
      expect(log[0]).toMatchObject({ oid: rollback?.commit });
      expect(log[0]?.message).toContain(`This reverts commit ${bad?.commit}.`);
      await site.close();
    },
  );
});

async function rolledBack(site: Site, address: string): Promise<ListedDelivery[]> {
  for (;;) {
    const items = await deliveries(site, address);
    if (items[0]?.kind === "rollback" && items[0].outcome !== undefined) return items;
    await systemAmbient.clock.sleep(100);
  }
}
