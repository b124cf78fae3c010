import { describe, expect, it } from "vitest";
import { orderOf } from "../../src/model/order.ts";
import { aBuild, T0 } from "../fakes/examples.ts";

const early = aBuild({ id: "a", run: { kind: "PipelineRun", uid: "1", name: "one", finishedAt: T0 } });
const late = aBuild({ id: "b", run: { kind: "PipelineRun", uid: "2", name: "two", finishedAt: T0 + 1 } });

describe("which of two builds is newer", () => {
  it("follows the source history, even when the older commit was built later", () => {
    expect(orderOf(late, early, "ancestor")).toEqual({ order: "older" });
    expect(orderOf(early, late, "descendant")).toEqual({ order: "newer" });
  });

  it("takes the later completion of one commit", () => {
    expect(orderOf(early, late, "same").order).toBe("older");
    expect(orderOf(late, early, "same").order).toBe("newer");
  });

  it.each(["unrelated", "unknown"] as const)("takes the later completion of %s commits and warns", (relation) => {
    const { order, warning } = orderOf(early, late, relation);
    expect(order).toBe("older");
    expect(warning).toContain("history does not order");
  });

  it("breaks a tie alike from both sides", () => {
    const twin = { ...early, id: "z" };
    expect([orderOf(early, twin, "same").order, orderOf(twin, early, "same").order]).toEqual(["older", "newer"]);
  });

  it("uses the acceptance where a run has no completion", () => {
    const open = aBuild({ id: "c", run: undefined, createdAt: T0 + 5 });
    expect(orderOf(open, early, "unknown").order).toBe("newer");
  });
});
