import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeliveryView } from "../../demo/client.ts";
import { chainsPublicKey } from "../cluster/parts/chains.ts";
import { notOurs, until } from "../fixtures/environment.ts";
import type { FinishedRun, RunOptions } from "../fixtures/pipeline.ts";
import { Shop } from "../fixtures/shop.ts";

if (notOurs !== undefined) console.log(`chains/trust.e2e.test.ts is skipped: ${notOurs}`);

const LATE_MS = 10_000;

describe.skipIf(notOurs !== undefined)("builds that the real Chains signs, where production wants proof", () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await Shop.open("proof", {
      environments: { dev: {}, prod: { trust: { waitForSignature: "60s" } } },
      trust: { cosignKeyFiles: [chainsPublicKey], require: ["prod"] },
    });
  });

  afterAll(async () => {
    await shop?.close();
  });

  async function build(tag: string, options: RunOptions = {}): Promise<FinishedRun> {
    const run = await shop.build(tag, "serve", options);
    expect(run).toMatchObject({ reason: "Succeeded", buildId: expect.any(String) });
    return run;
  }

  /** The delivery of the run's build to an environment, once it is so. */
  async function delivery(
    { digest }: FinishedRun,
    name: string,
    isSo: (one: DeliveryView) => boolean,
  ): Promise<DeliveryView> {
    let told: DeliveryView | undefined;
    return await until(
      () => `${name}, where it says ${told?.phase}, ${told?.message}`,
      async () => {
        const all = await shop.bridge.client.deliveries({ image: digest });
        told = all.find(({ target }) => target.endsWith(`/${name}`));
        return told !== undefined && isSo(told) ? await shop.bridge.client.delivery(told.id) : undefined;
      },
    );
  }

  const isDone = ({ phase }: DeliveryView): boolean => phase === "done";
  const kinds = ({ events = [] }: DeliveryView): string[] => events.map(({ kind }) => kind);

  function expectProven(one: DeliveryView, { digest }: FinishedRun): void {
    const signer = keyName(chainsPublicKey);
    expect(one).toMatchObject({ outcome: "healthy", trust: { images: [{ digest, signers: [signer] }] } });
    expect(kinds(one)).toContain("proven");
    expect(shop.repository.messageOf(one.commit ?? "")).toContain(`\nGitspan-Verified-By: ${signer}\n`);
    expect(verify(digest)).toMatchObject({ proven: true, signers: [signer] });
  }

  /** What the command line finds with the bridge's own configuration. */
  function verify(digest: string): unknown {
    const { bridge, image } = shop;
    const by = ["--config", bridge.configFile, "--environment", "prod", "-o", "json"];
    return JSON.parse(bridge.gitspan("verify", `${image}@${digest}`, ...by));
  }

  it("delivers what Chains has signed, with the proof in history, commit and command line", async () => {
    const run = await build("1.1.0");
    expectProven(await delivery(run, "prod", isDone), run);
    expect(await delivery(run, "dev", isDone)).toMatchObject({ outcome: "healthy" });
    expect(await shop.runs(run.digest, "prod")).toBe(true);
  });

  it("delivers when the signature comes ten seconds late, and tells meanwhile what it waits for", async () => {
    const run = await build("1.2.0", { signed: false });
    const waits = ({ waitReason }: DeliveryView) => waitReason === "signature";
    const { id } = await delivery(run, "prod", waits);
    // The run was reported before its end: whoever reported it must not wait for what comes only then.
    await expect(shop.bridge.client.wait(run.buildId ?? "", "written")).rejects.toThrow("provenance-needs-run-end");
    await sleep(LATE_MS);
    expect((await shop.bridge.client.delivery(id)).message).toContain("there is no signature; there is no provenance");
    await shop.pipelines.sign(run.name);
    const delivered = await delivery(run, "prod", isDone);
    expectProven(delivered, run);
    // It waits in other words while the signatures come one by one, and is warned as made-up commits have no history.
    const told = new Set(kinds(delivered).filter((kind) => kind !== "warning"));
    expect([...told].slice(0, 3)).toEqual(["received", "waiting", "proven"]);
  });

  it("refuses what nobody signed where proof is wanted, whatever the run says of itself, and delivers it elsewhere", async () => {
    const run = await build("1.3.0", { signed: false });
    expect(await delivery(run, "dev", isDone)).toMatchObject({ outcome: "healthy" });
    const refused = await delivery(run, "prod", isDone);
    expect(refused).toMatchObject({ outcome: "rejected", reason: "untrusted" });
    expect(refused.message).toContain("is not proven: there is no signature; there is no provenance");
    expect(kinds(refused)).toContain("refused");
    expect(() => verify(run.digest)).toThrow(expect.objectContaining({ status: 4 }));
    expect(await shop.runs(run.digest, "prod")).toBe(false);
  });
});

/** As docs/trust.md says it. */
function keyName(file: string): string {
  const der = createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" });
  return `key sha256:${createHash("sha256").update(der).digest("hex").slice(0, 16)}`;
}
