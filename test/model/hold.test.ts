import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/model/delivery.ts";
import type { Hold } from "../../src/model/hold.ts";
import { heldBy } from "../../src/model/hold.ts";
import { aBuild, aDelivery } from "../fakes/examples.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
const other = `sha256:${"b".repeat(64)}` as const;
const image = { name: "web", repository: "r/web", tag: "1", digest };
const hold = (overrides: Partial<Hold>): Hold => ({
  id: "h",
  targetId: "web/prod",
  by: "ann",
  why: "it leaks",
  createdAt: 0,
  ...overrides,
});

const delivery = (targetId: string, over: Partial<Delivery> = {}) => aDelivery({ targetId, images: [image], ...over });

describe("hold", () => {
  it("without a digest holds everything of its target and nothing of another", () => {
    expect(heldBy([hold({})], delivery("web/prod"), 1)?.id).toBe("h");
    expect(heldBy([hold({})], delivery("web/dev"), 1)).toBeUndefined();
  });

  it("with a digest holds that digest only", () => {
    expect(heldBy([hold({ digest })], delivery("web/prod"), 1)?.id).toBe("h");
    expect(heldBy([hold({ digest: other })], delivery("web/prod"), 1)).toBeUndefined();
  });

  it("with a build holds that build and not everything, but never the rollback that brings it back", () => {
    const named = [hold({ build: aBuild({ id: "bad" }) })];
    expect(heldBy(named, delivery("web/prod", { buildId: "bad" }), 1)?.id).toBe("h");
    expect(heldBy(named, delivery("web/prod", { buildId: "good" }), 1)).toBeUndefined();
    expect(heldBy(named, delivery("web/prod", { buildId: "bad", kind: "rollback" }), 1)).toBeUndefined();
  });

  it("ends at its time", () => {
    expect(heldBy([hold({ until: 10 })], delivery("web/prod"), 9)?.id).toBe("h");
    expect(heldBy([hold({ until: 10 })], delivery("web/prod"), 10)).toBeUndefined();
  });
});
