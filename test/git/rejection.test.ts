import { describe, expect, it } from "vitest";
import { classifyRejection, type Rejection } from "../../src/git/rejection.ts";
import { rejectionRows } from "./golden.ts";

const refused = (reason: string): unknown => ({ kind: "refused", reason });

/** What each class of the table has to come out as; a race may need a look at the branch. */
const EXPECTED: Record<string, unknown[]> = {
  race: [{ kind: "race" }, { kind: "look", otherwise: { kind: "unavailable" } }],
  protected: [refused("protected"), { kind: "look", otherwise: refused("protected") }],
  auth: [refused("auth")],
  "not-found": [refused("not-found")],
  "hook-declined": [refused("hook-declined")],
  quota: [refused("quota"), refused("too-large")],
  transient: [{ kind: "unavailable" }],
  "ref-conflict": [refused("other")],
  "client-bug": [refused("other")],
};

describe("the words of a refused push", () => {
  const rows = rejectionRows().filter((row) => row.class !== "ack-lost");

  it.each(rows.map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const status = row.status ?? row.fatal ?? "";
    expect(EXPECTED[row.class]).toContainEqual(classifyRejection({ status, remote: row.remote }));
  });

  it("does not take a name conflict for a race although both speak of locks", () => {
    const rows = rejectionRows().filter(({ id }) => /ref-conflict-0[89]/.test(id));
    expect(rows).toHaveLength(2);
    for (const { status, remote } of rows) {
      expect(classifyRejection({ status: status ?? "", remote })).toEqual(refused("other"));
    }
  });

  it("is sure of a race only when the server names another place of the branch", () => {
    const bare: Rejection = { kind: "look", otherwise: { kind: "unavailable" } };
    expect(classifyRejection({ status: "failed to update ref", remote: "" })).toEqual(bare);
    const remote = `error: cannot lock ref 'refs/heads/main': is at ${"a".repeat(40)} but expected ${"b".repeat(40)}`;
    expect(classifyRejection({ status: "failed to update ref", remote })).toEqual({ kind: "race" });
  });

  it("does not take the words of a hook for git's own", () => {
    const remote = `this is at ${"a".repeat(40)} but expected ${"b".repeat(40)}, Internal Server Error, non-fast-forward`;
    expect(classifyRejection({ status: "pre-receive hook declined", remote })).toEqual(refused("hook-declined"));
  });

  it("tells a pack that is too large from one that could not be unpacked", () => {
    const status = "unpacker error: index-pack abnormal exit";
    expect(classifyRejection({ status, remote: "fatal: pack exceeds maximum allowed size" })).toEqual(
      refused("too-large"),
    );
    expect(classifyRejection({ status, remote: "fatal: write error: No space left on device" })).toEqual({
      kind: "unavailable",
    });
    expect(classifyRejection({ status, remote: "fatal: fsck error in packed object" })).toEqual(refused("other"));
  });

  it("refuses what nobody has ever said before", () => {
    expect(classifyRejection({ status: "the moon is full", remote: "" })).toEqual(refused("other"));
  });
});
