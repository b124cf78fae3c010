import { describe, expect, it } from "vitest";
import { resultOfStatus } from "../../src/git/push-status.ts";
import { classifyRejection, type Rejection } from "../../src/git/rejection.ts";
import { rejectionRows } from "./golden.ts";

const refused = (reason: string): unknown => ({ kind: "refused", reason });

/** What each class of the table has to come out as; a race may need a look at the branch. */
const EXPECTED: Record<string, unknown[]> = {
  race: [
    { kind: "race" },
    { kind: "look", otherwise: { kind: "unavailable" } },
    { kind: "look", otherwise: refused("protected") },
  ],
  collateral: [{ kind: "look", otherwise: { kind: "unavailable" } }],
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
  const all = rejectionRows();
  const rows = all.filter((row) => row.class !== "ack-lost" && row.http === undefined && row.ssh === undefined);

  it.each(rows.map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const status = row.status ?? row.fatal ?? "";
    expect(EXPECTED[row.class]).toContainEqual(classifyRejection({ status, remote: row.remote }));
  });

  it("are only part of what is on record: the rest are HTTP and SSH answers, and pushes without an answer", () => {
    expect(all).toHaveLength(72);
    expect(rows.length).toBeGreaterThan(55);
    for (const row of all.filter((one) => one.class === "ack-lost")) {
      // Without a report only words that no success can come with would prove a refusal; these prove nothing.
      const proof = classifyRejection({ status: row.fatal ?? "", remote: row.remote });
      expect([refused("other"), { kind: "unavailable" }]).toContainEqual(proof);
    }
  });

  it.each(all.flatMap((row) => (row.http === undefined ? [] : [[row.id, row.http, row] as const])))(
    "%s, as the body of HTTP %i",
    (_id, status, row) => {
      const body = Buffer.from(row.remote);
      const headers = { "content-type": "text/plain; charset=utf-8" };
      const reason = row.class === "quota" ? "too-large" : row.class;
      const result = resultOfStatus({ status, headers, body }, 0);
      expect(result).toMatchObject({ kind: "refused", reason, message: expect.stringContaining(String(status)) });
      expect((result as { message: string }).message).toContain(row.remote.split("\n")[0]);
    },
  );

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
