import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MakeStore, StoreSubject } from "./store-samples.ts";

export function tokenContract(name: string, makeSubject: MakeStore): void {
  describe(`${name}: tokens`, () => {
    let subject: StoreSubject;
    beforeEach(async () => {
      subject = await makeSubject();
    });
    afterEach(() => subject.close());

    it("finds a token by its hash, with its groups", async () => {
      const { store, other } = subject;
      expect(await store.createToken({ name: "ci", hash: "h1", groups: ["team", "all"] })).toBe(true);
      expect(await other.tokenByHash("h1")).toEqual({ name: "ci", groups: ["team", "all"] });
      expect(await store.tokenByHash("h2")).toBeUndefined();
    });

    it("gives a name to one token at a time", async () => {
      const { store, other } = subject;
      const made = await Promise.all(
        ["a", "b", "c", "d"].map((hash, i) =>
          (i % 2 === 0 ? store : other).createToken({ name: "ci", hash, groups: [] }),
        ),
      );
      expect(made.filter(Boolean)).toHaveLength(1);
    });

    it("knows a revoked token no more and lets its name be used again", async () => {
      const { store } = subject;
      await store.createToken({ name: "ci", hash: "h1", groups: [] });
      expect(await store.revokeToken("ci")).toBe(true);
      expect(await store.revokeToken("ci")).toBe(false);
      expect(await store.revokeToken("none")).toBe(false);
      expect(await store.tokenByHash("h1")).toBeUndefined();
      expect(await store.createToken({ name: "ci", hash: "h2", groups: [] })).toBe(true);
      expect(await store.tokenByHash("h2")).toEqual({ name: "ci", groups: [] });
    });

    it("knows a token until it expires", async () => {
      const { store } = subject;
      const expiresAt = (await store.now()) + 30_000;
      await store.createToken({ name: "ci", hash: "h1", groups: [], expiresAt });
      expect(await store.tokenByHash("h1")).toBeDefined();
      await subject.advance(30_000);
      expect(await store.tokenByHash("h1")).toBeUndefined();
    });
  });
}
