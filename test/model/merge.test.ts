import { describe, expect, it } from "vitest";
import { merged } from "../../src/model/merge.ts";

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join("");

describe("merge of one change into a text that others changed", () => {
  it("is the wanted text where nobody else changed anything", () => {
    expect(merged("a\nb", "a\nb", "a\nc")).toBe("a\nc");
  });

  it("keeps others' changes before, behind and far from it", () => {
    const base = lines("1", "2", "3", "new", "5", "6", "7");
    const wanted = lines("1", "2", "3", "old", "5", "6", "7");
    const text = lines("0", "1", "2", "3", "new", "5", "7", "8");
    expect(merged(base, text, wanted)).toBe(lines("0", "1", "2", "3", "old", "5", "7", "8"));
  });

  it("inserts and removes lines", () => {
    const base = lines("1", "2", "3", "4", "5");
    expect(merged(base, lines("x", "1", "2", "3", "4", "5"), lines("1", "2", "3", "5"))).toBe(
      lines("x", "1", "2", "3", "5"),
    );
    expect(merged(base, lines("1", "2", "3", "4", "5", "x"), lines("1", "+", "2", "3", "4", "5"))).toBe(
      lines("1", "+", "2", "3", "4", "5", "x"),
    );
  });

  it("is a conflict on the same line, on an adjacent line, and at the same place", () => {
    const base = lines("1", "2", "3", "4");
    const wanted = lines("1", "two", "3", "4");
    expect(merged(base, lines("1", "zwei", "3", "4"), wanted)).toBeUndefined();
    expect(merged(base, lines("1", "2", "drei", "4"), wanted)).toBeUndefined();
    expect(merged(base, lines("1", "2", "x", "3", "4"), lines("1", "2", "y", "3", "4"))).toBeUndefined();
  });

  it("takes the same change on both sides once", () => {
    const base = lines("1", "2", "3", "4", "5", "6");
    const both = lines("1", "two", "3", "4", "5", "six");
    expect(merged(base, lines("1", "two", "3", "4", "5", "6"), both)).toBe(both);
  });
});
