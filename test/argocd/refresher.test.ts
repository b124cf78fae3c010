import { expect, test } from "vitest";
import { Refresher } from "../../src/argocd/refresher.ts";
import { silent } from "./simulated.ts";
import { VirtualClock } from "./virtual-clock.ts";

const never = new AbortController().signal;
const ref = (name: string) => ({ cluster: "main", namespace: "argocd", name });

function started() {
  const clock = new VirtualClock();
  const calls: { name: string; answer: (error?: Error) => void; signal: AbortSignal }[] = [];
  const refresher = new Refresher(
    { ambient: { clock, random: { next: () => 0.5 } }, log: silent },
    ({ name }, signal) => {
      return new Promise((resolve, reject) => {
        calls.push({ name, signal, answer: (error) => (error === undefined ? resolve() : reject(error)) });
      });
    },
  );
  return { clock, calls, refresh: (name: string, signal = never) => refresher.refresh(ref(name), never, signal) };
}

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("two refreshes of one Application at the same time are one request", async () => {
  const { calls, refresh } = started();
  const both = Promise.all([refresh("a"), refresh("a")]);
  await settle();
  expect(calls).toHaveLength(1);
  calls[0]?.answer();
  await both;
});

test("a second one so soon that Argo CD would drop it waits for a second to have passed, and serves all who ask", async () => {
  const { clock, calls, refresh } = started();
  const first = refresh("a");
  await settle();
  calls[0]?.answer();
  await first;
  const again = Promise.all([refresh("a"), refresh("a"), refresh("b")]);
  await settle();
  expect(calls.map(({ name }) => name)).toEqual(["a", "b"]);
  clock.advance(1_000);
  await settle();
  expect(calls.map(({ name }) => name)).toEqual(["a", "b", "a"]);
  for (const call of calls) call.answer();
  await again;
});

test("nobody waits longer than two seconds for the comparison, the request goes on", async () => {
  const { clock, calls, refresh } = started();
  const waiting = refresh("a");
  await settle();
  clock.advance(2_000);
  await waiting;
  expect(calls[0]?.signal.aborted).toBe(false);
  clock.advance(30_000);
  await settle();
  expect(calls[0]?.signal.aborted).toBe(true);
});

test("a refusal reaches whoever waits", async () => {
  const { calls, refresh } = started();
  const refused = refresh("a").catch((error: unknown) => error);
  await settle();
  calls[0]?.answer(new Error("403"));
  expect(await refused).toMatchObject({ message: "403" });
});

test("whoever gives up stops waiting", async () => {
  const { refresh } = started();
  const giveUp = new AbortController();
  const waiting = refresh("a", giveUp.signal);
  giveUp.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
});

test("no more than ten run at once", async () => {
  const { calls, refresh } = started();
  const all = Promise.all(Array.from({ length: 12 }, (_, number) => refresh(`app-${number}`)));
  await settle();
  expect(calls).toHaveLength(10);
  while (calls.length < 12) {
    for (const call of calls) call.answer();
    await settle();
  }
  for (const call of calls) call.answer();
  await all;
});
