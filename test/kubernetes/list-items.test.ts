import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readList } from "../../src/kubernetes/list-items.ts";
import { VirtualClock } from "../argocd/virtual-clock.ts";

const trouble = { unreachable: "argocd-unreachable", protocol: "argocd-protocol" } as const;

async function read(text: string, cuts: readonly number[] = []): Promise<{ items: unknown[]; rest: unknown }> {
  const bytes = Buffer.from(text);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  const items: unknown[] = [];
  const input = { chunks: chunksOf(chunks), idleMs: 1_000, signal: new AbortController().signal, trouble };
  const rest = await readList(new VirtualClock(), { ...input, onItem: (item) => items.push(item) });
  return { items, rest };
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

test("items come one by one, whatever is in them and wherever the answer is cut; the rest is what is left", async () => {
  const item = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());
  const metadata = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { maxLength: 5 }),
      metadata,
      fc.array(fc.nat(), { maxLength: 8 }),
      async (items, head, cuts) => {
        for (const text of [JSON.stringify({ head, items }), JSON.stringify({ items, head }, null, 1)]) {
          const found = await read(text, cuts);
          const plain = JSON.parse(text) as { head: unknown };
          expect(JSON.stringify(found.items)).toBe(JSON.stringify(items));
          expect(found.rest).toEqual({ head: plain.head, items: items.map(() => null) });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("an empty list and no list at all are both nothing", async () => {
  expect(await read('{"items":null,"metadata":{"a":{"b":1}}}')).toEqual({
    items: [],
    rest: { items: null, metadata: { a: { b: 1 } } },
  });
  expect((await read('{"items":[]}')).items).toEqual([]);
});

test.each(["", "<html>", '{"items":[{"a":1}', '{"items":[{"a":1},{"b', '{"items":[{a}]}'])(
  "%j is refused",
  async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: "argocd-protocol" });
  },
);

test("silence in the middle is an error", async () => {
  const clock = new VirtualClock();
  const silent = (async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"items":[');
    await new Promise(() => undefined);
  })();
  const signal = new AbortController().signal;
  const reading = readList(clock, { chunks: silent, idleMs: 1_000, signal, trouble, onItem: () => undefined });
  const refused = reading.catch((error: unknown) => error);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1_001);
  expect(await refused).toMatchObject({ code: "argocd-unreachable", transient: true });
});
