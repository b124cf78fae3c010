import { expect, it } from "vitest";
import { LiveParts } from "../../src/config/live-parts.ts";

function partsOf(fails: (configuration: number) => boolean = () => false) {
  const log: string[] = [];
  const parts = new LiveParts(async (configuration: number, name) => {
    if (fails(configuration)) throw new Error(`cannot open ${name}`);
    log.push(`open ${name}${configuration}`);
    return { label: `${name}${configuration}`, close: () => void log.push(`close ${name}${configuration}`) };
  });
  const change = async (wanted: Record<string, number>) => {
    const prepared = await parts.prepare(new Map(Object.entries(wanted)));
    prepared.swap();
    await prepared.settle();
  };
  return { log, parts, change };
}

it("opens what is new, closes what is gone, and leaves alone what is unchanged", async () => {
  const { log, parts, change } = partsOf();
  await change({ a: 1, b: 1 });
  await change({ a: 1, b: 2, c: 1 });
  await change({ c: 1 });
  expect(log).toEqual(["open a1", "open b1", "open b2", "open c1", "close b1", "close a1", "close b2"]);
  expect([parts.get("a"), parts.get("c")?.label]).toEqual([undefined, "c1"]);
  await parts.close();
  expect(log.at(-1)).toBe("close c1");
});

it("changes nothing when one of them cannot be opened", async () => {
  const { log, parts, change } = partsOf((configuration) => configuration === 13);
  await change({ a: 1 });
  await expect(change({ a: 2, b: 13 })).rejects.toThrow("cannot open b");
  expect(log).toEqual(["open a1", "open a2", "close a2"]);
  expect(parts.get("a")?.label).toBe("a1");
});

it("closes the new ones again when a change is given up", async () => {
  const { log, parts, change } = partsOf();
  await change({ a: 1 });
  const given = await parts.prepare(new Map([["a", 2]]));
  await given.settle();
  expect(log).toEqual(["open a1", "open a2", "close a2"]);
  expect(parts.get("a")?.label).toBe("a1");
});
