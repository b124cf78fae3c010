import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDelta } from "../../src/git/delta.ts";
import { type GitObject, hashObject, type ObjectType } from "../../src/git/object.ts";
import { readPack } from "../../src/git/pack-read.ts";
import { writePack } from "../../src/git/pack-write.ts";

const limits = { objectBytes: 100_000, totalBytes: 1_000_000 };
const nothing = (): undefined => undefined;
const damaged = expect.objectContaining({ code: "git-protocol" });

function varint(value: number): number[] {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** A pack of raw entries: type number, what stands before the data, the data. */
function rawPack(entries: { type: number; before?: Buffer; data: Buffer }[]): Buffer {
  const header = Buffer.from([0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, entries.length]);
  const parts: Buffer[] = [header];
  for (const { type, before = Buffer.alloc(0), data } of entries) {
    expect(data.length).toBeLessThan(2048);
    const first = (type << 4) | (data.length & 15) | (data.length > 15 ? 128 : 0);
    const size = data.length > 15 ? [first, data.length >> 4] : [first];
    parts.push(Buffer.from(size), before, deflateSync(data));
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

const base = Buffer.from("the quick brown fox\n");
const baseOid = hashObject("blob", base);
/** Copies 4 bytes from 4, inserts "slow". */
const delta = Buffer.from([...varint(base.length), ...varint(8), 0x91, 4, 4, 4, ...Buffer.from("slow")]);
const result = Buffer.from("quicslow");
const resultOid = hashObject("blob", result);

describe("packs", () => {
  const object = fc.record({
    type: fc.constantFrom<ObjectType>("commit", "tree", "blob", "tag"),
    data: fc.uint8Array({ maxLength: 70_000, size: "max" }).map((bytes) => Buffer.from(bytes)),
  });

  it("come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(object, { maxLength: 5 }), (objects) => {
        const expected = new Map(objects.map(({ type, data }) => [hashObject(type, data), { type, data }]));
        expect(readPack(writePack(objects), { objectBytes: 100_000, totalBytes: 10_000_000 }, nothing)).toEqual(
          expected,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("may hold a delta whose base lies further back", () => {
    // One byte for the entry's header (two where its size is over 15), then the deflated base.
    const distance = 2 + deflateSync(base).length;
    const pack = rawPack([
      { type: 3, data: base },
      { type: 6, before: Buffer.from([distance]), data: delta },
    ]);
    expect(readPack(pack, limits, nothing).get(resultOid)?.data).toEqual(result);
  });

  it("may hold deltas before their base, and deltas of deltas", () => {
    const second = Buffer.from([...varint(8), ...varint(4), 0x90, 4]);
    const pack = rawPack([
      { type: 7, before: Buffer.from(resultOid, "hex"), data: second },
      { type: 7, before: Buffer.from(baseOid, "hex"), data: delta },
      { type: 3, data: base },
    ]);
    const objects = readPack(pack, limits, nothing);
    expect(objects.get(resultOid)?.data).toEqual(result);
    expect(objects.get(hashObject("blob", result.subarray(0, 4)))?.type).toBe("blob");
  });

  it("may rest on objects that are known already", () => {
    const pack = rawPack([{ type: 7, before: Buffer.from(baseOid, "hex"), data: delta }]);
    const known = (oid: string): GitObject | undefined => (oid === baseOid ? { type: "blob", data: base } : undefined);
    expect(readPack(pack, limits, known).get(resultOid)?.data).toEqual(result);
    expect(() => readPack(pack, limits, nothing)).toThrow(/base is missing/);
  });

  it("are refused when they are damaged, at whatever byte they break off", () => {
    const pack = rawPack([
      { type: 3, data: base },
      { type: 7, before: Buffer.from(baseOid, "hex"), data: delta },
    ]);
    for (let length = 0; length < pack.length - 20; length++) {
      expect(() => readPack(pack.subarray(0, length), limits, nothing)).toThrow(damaged);
    }
  });

  it("never give anything wrong under a right id, whatever byte is changed", () => {
    const pack = writePack([{ type: "blob", data: base }]);
    const outcome = (bytes: Buffer): unknown[] => {
      try {
        return Array.from(readPack(bytes, limits, nothing), ([oid, { type, data }]) => hashObject(type, data) === oid);
      } catch (error) {
        return [(error as { code?: string }).code];
      }
    };
    for (let at = 0; at < pack.length - 20; at++) {
      const bad = Buffer.from(pack);
      bad[at] = (bad[at] ?? 0) ^ 0x55;
      for (const each of outcome(bad)) expect([true, "git-protocol", "git-too-large"]).toContain(each);
    }
  });

  it("are refused when an object, or all together, grow beyond the limit", () => {
    const tooLarge = expect.objectContaining({ code: "git-too-large" });
    const zeros = Buffer.alloc(60_000);
    const pack = writePack([
      { type: "blob", data: zeros },
      { type: "tree", data: zeros },
    ]);
    expect(pack.length).toBeLessThan(500);
    expect(() => readPack(pack, { objectBytes: 50_000, totalBytes: 1_000_000 }, nothing)).toThrow(tooLarge);
    expect(() => readPack(pack, { objectBytes: 100_000, totalBytes: 100_000 }, nothing)).toThrow(tooLarge);
    const bomb = Buffer.from([...varint(base.length), ...varint(90_000_000), 0x90, 1]);
    expect(() => applyDelta(base, bomb, 100_000)).toThrow(tooLarge);
  });
});

describe("deltas", () => {
  it.each([
    ["another base's size", [1, 1, 0x90, 1]],
    ["a copy from behind the base", [base.length, 30, 0x91, 10, 30]],
    ["more than it announces", [base.length, 1, 2, 65, 66]],
    ["less than it announces", [base.length, 2, 1, 65]],
    ["a reserved command", [base.length, 1, 0]],
    ["an insert that breaks off", [base.length, 5, 5, 65]],
    ["nothing at all", []],
  ])("are refused with %s", (_name, bytes) => {
    expect(() => applyDelta(base, Buffer.from(bytes), 1000)).toThrow(damaged);
  });

  it("copy 64 KiB when the length is left out", () => {
    const large = Buffer.alloc(70_000, "x");
    const copy = Buffer.from([...varint(70_000), ...varint(65_536), 0x80]);
    expect(applyDelta(large, copy, 100_000)).toEqual(large.subarray(0, 65_536));
  });
});
