import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemAmbient } from "../../src/ambient.ts";
import { feedEventBody } from "../../src/http/responses.ts";
import { acceptInput, newDelivery } from "../contracts/store-samples.ts";
import { EventReader } from "./event-reader.ts";
import { TOKENS } from "./fake-ports.ts";
import { type StoredApp, startStoredApp } from "./stored-app.ts";

let test: StoredApp;
const readers: EventReader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await test.app.close();
});

async function start(overrides: Parameters<typeof startStoredApp>[0] = {}): Promise<void> {
  test = await startStoredApp(overrides);
  await test.app.listen({ host: "127.0.0.1", port: 0 });
}

async function open(query = "", headers: Record<string, string> = {}, token = TOKENS.platform): Promise<EventReader> {
  const { port } = test.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/stream${query}`;
  const reader = await EventReader.open(url, { authorization: `Bearer ${token}`, ...headers });
  readers.push(reader);
  return reader;
}

/** Stores one build with one delivery; it makes one event. */
async function happen(app = "checkout", environment = "staging"): Promise<string> {
  const id = systemAmbient.ids.uuid();
  const delivery = newDelivery({ id, app, environment, targetId: `${app}/${environment}` });
  const result = await test.store.accept(acceptInput({ buildId: systemAmbient.ids.uuid(), deliveries: [delivery] }));
  if (result.kind !== "accepted") throw new Error("not accepted");
  return id;
}

const deliveryOf = (event: { data: string } | undefined) =>
  event === undefined ? undefined : feedEventBody.parse(JSON.parse(event.data)).delivery.id;

describe("GET /v1/stream", () => {
  it("gives what happens from now on, as described, and says how to come back", async () => {
    await start();
    await happen();
    const reader = await open();
    expect(reader.status).toBe(200);
    expect(reader.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.any(String),
    });
    await reader.nextBlock();
    expect(reader.lastEventId).toBe("1");
    const id = await happen();
    const event = await reader.next();
    expect(event).toMatchObject({ id: "2", event: "delivery" });
    expect(feedEventBody.parse(JSON.parse(event!.data))).toMatchObject({
      id: 2,
      kind: "received",
      delivery: { id, target: "checkout/staging", phase: "received" },
    });
  });

  it("resumes after the last event that was seen, without a gap or a repeat", async () => {
    await start();
    const ids = [await happen(), await happen()];
    const first = await open("", { "last-event-id": "0" });
    expect([deliveryOf(await first.next()), deliveryOf(await first.next())]).toEqual(ids);
    first.close();
    const missed = [await happen(), await happen()];
    const second = await open("", { "last-event-id": first.lastEventId });
    expect([deliveryOf(await second.next()), deliveryOf(await second.next())]).toEqual(missed);
  });

  it("gives a caller only what they may see, and only what they asked for", async () => {
    await start();
    const ids: string[] = [];
    for (const [app, environment] of [
      ["checkout", "staging"],
      ["checkout", "prod"],
      ["cart", "staging"],
    ]) {
      ids.push(await happen(app, environment));
    }
    const last = await happen("checkout", "staging");
    const seen = async (reader: EventReader): Promise<unknown[]> => {
      const found: unknown[] = [];
      while (found.at(-1) !== last) found.push(deliveryOf(await reader.next()));
      return found;
    };
    const from = { "last-event-id": "0" };
    expect(await seen(await open("", from))).toEqual([...ids, last]);
    expect(await seen(await open("", from, TOKENS.ci))).toEqual([ids[0], last]);
    expect(await seen(await open("?app=checkout", from))).toEqual([ids[0], ids[1], last]);
    expect(await seen(await open("?environment=staging", from))).toEqual([ids[0], ids[2], last]);
  });

  it("moves the position of a reader that may see nothing, with a heartbeat every 15 s", async () => {
    let now = systemAmbient.clock.now();
    await start({ clock: { now: () => now, sleep: (ms, signal) => systemAmbient.clock.sleep(ms, signal) } });
    const reader = await open("?app=nothing");
    await reader.nextBlock();
    now += 15_000;
    await happen();
    await happen();
    await reader.nextBlock();
    expect(reader.comments).toEqual(["heartbeat"]);
    expect(Number(reader.lastEventId)).toBeGreaterThan(0);
  });

  it("begins now for an id that this server never gave", async () => {
    await start();
    await happen();
    const reader = await open("", { "last-event-id": "999999" });
    await reader.nextBlock();
    const id = await happen();
    expect(deliveryOf(await reader.next())).toBe(id);
  });

  it("ends after a quarter of an hour, so that the token is looked at again", async () => {
    let now = systemAmbient.clock.now();
    await start({ clock: { now: () => now, sleep: (ms, signal) => systemAmbient.clock.sleep(ms, signal) } });
    const reader = await open();
    await reader.nextBlock();
    now += 15 * 60_000;
    await happen();
    while ((await reader.next()) !== undefined);
    expect((await open("", { "last-event-id": reader.lastEventId })).status).toBe(200);
  });

  it("is refused beyond the limit, and open again when somebody leaves", async () => {
    await start({ limits: { streams: 1 } });
    const first = await open();
    await first.nextBlock();
    const second = await open();
    expect([second.status, second.headers["retry-after"]]).toEqual([503, "10"]);
    first.close();
    await expect.poll(() => test.ports.openStreams).toBe(0);
    expect((await open()).status).toBe(200);
  });

  it("ends when the server stops, and does not keep it from stopping", async () => {
    await start();
    const reader = await open();
    await reader.nextBlock();
    const closed = test.app.close();
    expect(await reader.next()).toBeUndefined();
    await closed;
  });

  it("needs a token", async () => {
    await start();
    expect((await open("", { authorization: "" })).status).toBe(401);
  });

  it("is cut off by a store that fails, and can be resumed", async () => {
    await start();
    const reader = await open();
    await reader.nextBlock();
    const { eventsAfter } = test.store;
    test.store.eventsAfter = () => Promise.reject(new Error("gone"));
    await happen();
    expect(await reader.next()).toBeUndefined();
    test.store.eventsAfter = eventsAfter;
    const again = await open("", { "last-event-id": reader.lastEventId });
    expect(await again.next()).toBeDefined();
  });

  it("cuts off a reader that takes nothing, instead of keeping everything for it", async () => {
    const late = Promise.withResolvers<void>();
    await start({
      clock: {
        now: systemAmbient.clock.now,
        // The ten seconds that a write may take are over when the test says so.
        sleep: (ms, signal) => (ms === 10_000 ? late.promise : systemAmbient.clock.sleep(ms, signal)),
      },
    });
    const message = "x".repeat(1_000_000);
    const reader = await open();
    reader.pause();
    const state = { isCut: false };
    test.ports.onLog = ({ message: logged }) => {
      state.isCut ||= logged === "an event stream was cut";
    };
    setImmediate(() => late.resolve());
    while (!state.isCut) {
      const id = await happen();
      const delivery = (await test.store.delivery(id))!;
      await test.store.save(delivery, { phase: "ready", events: [{ kind: "ready", message }] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => test.ports.openStreams).toBe(0);
  });
});
