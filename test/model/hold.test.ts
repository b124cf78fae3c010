import { describe, expect, it } from "vitest";
import type { Hold } from "../../src/model/hold.ts";
import { heldBy } from "../../src/model/hold.ts";

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

describe("hold", () => {
  it("without a digest holds everything of its target and nothing of another", () => {
    expect(heldBy([hold({})], "web/prod", [image], 1)?.id).toBe("h");
    expect(heldBy([hold({})], "web/dev", [image], 1)).toBeUndefined();
  });

  it("with a digest holds that digest only", () => {
    expect(heldBy([hold({ digest })], "web/prod", [image], 1)?.id).toBe("h");
    expect(heldBy([hold({ digest: other })], "web/prod", [image], 1)).toBeUndefined();
  });

  it("ends at its time", () => {
    expect(heldBy([hold({ until: 10 })], "web/prod", [image], 9)?.id).toBe("h");
    expect(heldBy([hold({ until: 10 })], "web/prod", [image], 10)).toBeUndefined();
  });
});
