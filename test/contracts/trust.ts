import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Trust } from "../../src/delivery/ports.ts";
import type { Digest } from "../../src/model/image.ts";
import { aPolicy } from "../trust/policy.ts";

export const REPOSITORY = "registry.example.com/shop/checkout";
const source = { repository: "https://git.example.com/shop/checkout.git", commit: "c".repeat(40) };
const nothing = `sha256:${"0".repeat(64)}` as const;
const signal = AbortSignal.timeout(60_000);

export interface TrustSubject {
  trust: Trust;
  /** Into `REPOSITORY`, whose registry is the only one that is configured; `content` makes the digest. */
  push(tag: string, content: string): Digest;
  /** By somebody whom the policy of these tests trusts. */
  sign(digest: Digest): void;
  attest(digest: Digest, said: { source: typeof source; run: string }): void;
  /** Long enough for what was answered before to be asked again. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

export function trustContract(name: string, make: () => Promise<TrustSubject>): void {
  describe(`${name} keeps the contract of Trust`, () => {
    let subject: TrustSubject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(async () => subject.close());

    const decide = async (digest: Digest, over: { policy?: Parameters<typeof aPolicy>[0]; run?: string } = {}) =>
      await subject.trust.decide(
        {
          image: { repository: REPOSITORY, digest },
          policy: aPolicy(over.policy),
          source,
          run: { uid: over.run ?? "run-1" },
          now: Date.parse("2026-02-01T12:00:00Z"),
        },
        signal,
      );

    it("covers the images of its registries, and no others", () => {
      expect(subject.trust.covers(REPOSITORY)).toBe(true);
      expect(subject.trust.covers("registry.example.com.evil.example/shop/checkout")).toBe(false);
      expect(subject.trust.covers("shop/checkout")).toBe(false);
    });

    it("knows what a tag names now", async () => {
      const first = subject.push("1.0", "first");
      expect(await subject.trust.digestOf({ repository: REPOSITORY, tag: "1.0" }, signal)).toBe(first);
      const second = subject.push("1.0", "second");
      expect(await subject.trust.digestOf({ repository: REPOSITORY, tag: "1.0" }, signal)).toBe(second);
      expect(await subject.trust.digestOf({ repository: REPOSITORY, tag: "2.0" }, signal)).toBeUndefined();
    });

    it("says that a digest is not there", async () => {
      const digest = subject.push("1.0", "first");
      expect(await subject.trust.absenceOf({ repository: REPOSITORY, digest }, signal)).toBeUndefined();
      const absence = await subject.trust.absenceOf({ repository: REPOSITORY, digest: nothing }, signal);
      expect(absence).toBe(`the registry has no ${REPOSITORY}@${nothing}`);
    });

    it("finds an image proven once signature and provenance are there, by whom, and not before", async () => {
      const digest = subject.push("1.0", "first");
      expect(await decide(digest)).toMatchObject({ proven: false, signers: [] });
      subject.sign(digest);
      await subject.pass();
      expect(await decide(digest)).toMatchObject({ proven: false, signers: [] });
      subject.attest(digest, { source, run: "run-1" });
      await subject.pass();
      const decision = await decide(digest);
      expect(decision).toMatchObject({ proven: true, signers: [expect.stringMatching(/^key /)] });
      expect(decision.evidence.some(({ counts }) => counts)).toBe(true);
    });

    it("wants the build's own source and run, unless the policy says otherwise", async () => {
      const digest = subject.push("1.0", "first");
      subject.sign(digest);
      subject.attest(digest, { source: { ...source, commit: "d".repeat(40) }, run: "run-1" });
      expect(await decide(digest)).toMatchObject({ proven: false });
      expect(await decide(digest, { policy: { matchSource: false } })).toMatchObject({ proven: true });
      expect(await decide(digest, { policy: { matchSource: false }, run: "run-2" })).toMatchObject({ proven: false });
      const anything = { matchSource: false, matchRun: false };
      expect(await decide(digest, { policy: anything, run: "run-2" })).toMatchObject({ proven: true });
    });

    it("takes one proof among others that do not count", async () => {
      const digest = subject.push("1.0", "first");
      subject.sign(digest);
      subject.attest(digest, { source, run: "another-run" });
      subject.attest(digest, { source, run: "run-1" });
      expect(await decide(digest)).toMatchObject({ proven: true });
    });

    it("wants no more than the policy does", async () => {
      const digest = subject.push("1.0", "first");
      expect(await decide(digest, { policy: { signature: false, provenance: "none" } })).toMatchObject({
        proven: true,
      });
      subject.sign(digest);
      await subject.pass();
      expect(await decide(digest, { policy: { provenance: "none" } })).toMatchObject({ proven: true });
    });
  });
}
