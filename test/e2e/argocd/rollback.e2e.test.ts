import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../fixtures/environment.ts";
import { Fleet } from "../fixtures/fleet.ts";

const APPS = {
  automatic: { policy: { rollback: "automatic" } },
  manual: {},
  person: {},
  foreign: {},
};

describe("what is taken back stays taken back", { concurrent: true }, () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.open("rollback", APPS);
  });
  afterAll(async () => {
    await fleet?.close();
  });

  /** A first delivery that ends healthy: what a rollback goes back to. */
  async function healthy(app: string): Promise<void> {
    expect(await fleet.ended(await fleet.deliver(app, "1.1.0"))).toMatchObject({ outcome: "healthy" });
  }

  it("a crash: rolled back by itself, healthy on the old image, and the crashing one held", async () => {
    await healthy("automatic");
    const broken = await fleet.deliver("automatic", "1.2.0", "crash");
    expect(await fleet.ended(broken)).toMatchObject({ outcome: "failed" });
    const rollback = await until("a rollback", async () => {
      const [newest] = await fleet.bridge.client.deliveries({ app: fleet.member("automatic").app });
      return newest?.kind === "rollback" ? newest : undefined;
    });
    const { outcome, commit = "" } = await fleet.ended(rollback);
    expect(outcome).toBe("healthy");
    expect(await fleet.member("automatic").runs("1.1.0")).toBe(true);
    const message = fleet.repository.messageOf(commit);
    expect(message).toContain("This reverts commit");
    const member = fleet.member("automatic");
    expect(fleet.bridge.gitspan("holds", "list", "--app", member.app, "-o", "json")).toContain(member.digest("1.2.0"));
  });

  it("a rollback that a person asked for", async () => {
    await healthy("manual");
    await fleet.ended(await fleet.deliver("manual", "1.2.0"));
    const { app } = fleet.member("manual");
    fleet.bridge.gitspan("rollback", `${app}/manual`, "--why", "orders are lost", "--wait");
    expect(await fleet.member("manual").runs("1.1.0")).toBe(true);
  });

  it("a person's revert: nothing is written until the pin is released", async () => {
    await healthy("person");
    const wrong = await fleet.ended(await fleet.deliver("person", "1.2.0"));
    const revert = fleet.repository.revert(wrong.commit ?? "");
    await fleet.member("person").workload.refresh();
    const next = await fleet.deliver("person", "1.3.0");
    await until("the next one waits", async () => {
      const { phase } = await fleet.bridge.client.delivery(next.id);
      return phase === "waiting" ? true : undefined;
    });
    expect(await fleet.bridge.client.delivery(wrong.id)).toMatchObject({ outcome: "healthy", revertedBy: revert });
    await until("the old version", async () => ((await fleet.member("person").runs("1.1.0")) ? true : undefined));
    fleet.bridge.gitspan("targets", "release", `${fleet.member("person").app}/person`);
    expect(await fleet.ended(next)).toMatchObject({ outcome: "healthy" });
    expect(await fleet.member("person").runs("1.3.0")).toBe(true);
  });

  it("a person's other value: overridden, and a newer build goes through", async () => {
    await healthy("foreign");
    const member = fleet.member("foreign");
    const { tag, digest } = member.version("9.9.9", "serve");
    const delivery = await fleet.deliver("foreign", "1.2.0");
    await until("written", async () => (await fleet.bridge.client.delivery(delivery.id)).commit);
    fleet.repository.commit("fix: another version", {
      [member.overlay]: (text) =>
        text.replace(/newTag: .*/, `newTag: '${tag}'`).replace(/digest: .*/, `digest: ${digest}`),
    });
    expect((await fleet.ended(delivery)).outcome).toMatch(/^(overridden|healthy)$/);
    const next = await fleet.deliver("foreign", "1.3.0");
    expect(await fleet.ended(next)).toMatchObject({ outcome: "healthy" });
  });
});
