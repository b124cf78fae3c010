import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Grounds, openGrounds, openSite, post, startProcess, waitDone } from "./site.ts";

/** Calls that change something: death before and after the effect are two cases. */
const WRITES = [
  "store.accept",
  "store.claim",
  "store.save",
  "store.claimLane",
  "store.examined",
  "store.beginAttempt",
  "git.push",
  "store.attemptLanded",
  "store.releaseLane",
  "argocd.refresh",
];
/** Calls that only read: death after one is the same as death before it. */
const READS = [
  "store.build",
  "store.now",
  "store.targetStates",
  "store.pending",
  "store.holds",
  "git.tip",
  "store.laneWork",
  "git.history",
  "git.readFiles",
  "argocd.find",
  "argocd.snapshots",
  "argocd.inspect",
  "git.prepare",
  "git.isAncestor",
];
const POINTS = [
  ...WRITES.flatMap((call) => [`before ${call}`, `after ${call}`]),
  ...READS.map((call) => `before ${call}`),
];

/** Calls of the HTTP interface and of the loops at rest: no steps of a delivery. */
const NOT_STEPS = ["store.waitForChange", "store.tokenByHash", "store.delivery", "store.deliveries", "store.renewLane"];

describe("SIGKILL at every step of a delivery, with real PostgreSQL and a real git server", () => {
  let grounds: Grounds;
  beforeAll(async () => {
    grounds = await openGrounds();
  });
  afterAll(() => grounds.close());

  it("knows every step that a delivery takes", async () => {
    const site = await openSite(grounds, "complete");
    const bridge = await startProcess(site);
    const id = await post(site, bridge.address ?? "");
    expect(await waitDone(site, bridge.address ?? "", id ?? "")).toMatchObject({ outcome: "healthy" });
    expect(await bridge.terminate()).toBe("0");
    const made = bridge.points.filter((point) => !NOT_STEPS.some((call) => point.endsWith(` ${call}`)));
    const calls = new Set(made.map((point) => point.slice(point.indexOf(" ") + 1)));
    expect([...calls].toSorted()).toEqual([...WRITES, ...READS].toSorted());
    await site.close();
  });

  it.concurrent.for(POINTS)("%s: the delivery is in Git once and ends healthy", async (point, { expect }) => {
    const site = await openSite(grounds, point.replaceAll(/\W/g, "-"));
    const victim = await startProcess(site, point);
    let id = victim.address === undefined ? undefined : await post(site, victim.address);
    expect(await victim.exited).toBe("SIGKILL");

    const survivor = await startProcess(site);
    const address = survivor.address ?? "";
    // A client that got no answer sends its build again.
    id ??= await post(site, address);
    const ended = await waitDone(site, address, id ?? "");
    expect(ended).toMatchObject({ outcome: "healthy" });
    expect(await survivor.terminate()).toBe("0");

    const log = await grounds.git.log(site.repository);
    expect(log).toHaveLength(2);
    expect(log[0]).toMatchObject({ oid: ended.commit });
    expect(await grounds.git.show(site.repository, "main", "apps/web/overlays/dev/kustomization.yaml")).toBe(
      'images:\n- name: registry.example.com/shop/web # ours\n  newTag: "2.0.0"\n',
    );
    await site.close();
  });
});
