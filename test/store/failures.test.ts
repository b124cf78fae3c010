import { describe, expect, it } from "vitest";
import { GitspanError } from "../../src/model/errors.ts";
import { isConflict, storeFailure } from "../../src/store/failures.ts";

const failure = (code: string | undefined, message = "m"): Error => Object.assign(new Error(message), { code });

describe("failures of the store", () => {
  it.each([
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ENOENT",
    "ETIMEDOUT",
    "ENOTFOUND",
    undefined,
    "08006",
    "57P01",
    "57014",
    "53300",
    "53100",
    "25006",
    "28P01",
    "3D000",
    "55P03",
    "40001",
  ])("takes %s for the database being unavailable, which may pass", (code) => {
    expect(storeFailure(failure(code))).toMatchObject({ code: "store-unavailable", transient: true });
  });

  it.each(["23505", "42703", "22P02", "XX000"])("takes %s for a defect", (code) => {
    expect(storeFailure(failure(code))).toMatchObject({ code: "internal", transient: false });
  });

  it("keeps the failure as the cause and passes on what is ours already", () => {
    const cause = failure("08006");
    expect(storeFailure(cause).cause).toBe(cause);
    const ours = new GitspanError("bad-request", "m");
    expect(storeFailure(ours)).toBe(ours);
  });

  it("runs a transaction again only for deadlocks and serialization failures", () => {
    expect(isConflict(failure("40P01"))).toBe(true);
    expect(isConflict(failure("40001"))).toBe(true);
    expect(isConflict(failure("23505"))).toBe(false);
    expect(isConflict("40001")).toBe(false);
  });
});
