import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { accepted, nextId } from "../contracts/store-samples.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";

describe("the feed while transactions overlap", () => {
  let server: TestDatabase;
  let database: Database;
  let url: string;
  let slow: Client;
  beforeAll(async () => {
    server = await startTestDatabase();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    url = await server.fresh();
    database = await openDatabase(databaseDeps, { url });
    slow = new Client({ connectionString: url });
    await slow.connect();
  });
  afterEach(async () => {
    await slow.end();
    await database.close();
  });

  /** A transaction that has taken an id for an event of the delivery, as `record` does, and stays open. */
  async function takeId(deliveryId: string): Promise<void> {
    await slow.query("begin");
    await slow.query("select id from delivery where id = $1 for no key update", [deliveryId]);
    await slow.query(
      "insert into delivery_event (delivery_id, at, kind, message) values ($1, now(), 'warning', 'late')",
      [deliveryId],
    );
  }

  const kinds = async (after: number): Promise<string[]> =>
    (await database.store.eventsAfter(after, 100)).items.map(({ kind }) => kind);

  it("waits for a lower id whose transaction is still open, then gives both in order", async () => {
    const { store } = database;
    const delivery = await accepted(store);
    const { last } = await store.eventsAfter(undefined, 1);
    await takeId(delivery.id);
    await accepted(store);
    expect(await kinds(last)).toEqual([]);
    expect(await kinds(last)).toEqual([]);
    // What comes before the gap is not kept back.
    expect(await kinds(0)).toEqual(["received"]);
    await slow.query("commit");
    expect(await kinds(last)).toEqual(["warning", "received"]);
  });

  it("passes the gap that a rolled-back transaction leaves", async () => {
    const { store } = database;
    const delivery = await accepted(store);
    const { last } = await store.eventsAfter(undefined, 1);
    await takeId(delivery.id);
    await accepted(store);
    expect(await kinds(last)).toEqual([]);
    await slow.query("rollback");
    expect(await kinds(last)).toEqual(["received"]);
  });

  it("passes an old gap although another transaction is open now", async () => {
    const { store } = database;
    const delivery = await accepted(store);
    await takeId(delivery.id);
    await accepted(store);
    // Seen while the first one is open: settled as soon as the oldest open one is younger than that.
    expect(await kinds(0)).toEqual(["received"]);
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query("begin; select pg_current_xact_id()");
    await slow.query("rollback");
    expect(await kinds(0)).toEqual(["received", "received"]);
    await other.end();
  });

  it("does not stop for an open transaction that has taken no id", async () => {
    const { store } = database;
    await slow.query("begin; select pg_current_xact_id()");
    await accepted(store);
    await accepted(store);
    expect(await kinds(0)).toEqual(["received", "received"]);
  });

  it("begins before an id that is still to come", async () => {
    const { store } = database;
    const delivery = await accepted(store);
    await takeId(delivery.id);
    await accepted(store);
    const { last } = await store.eventsAfter(undefined, 1);
    await slow.query("commit");
    expect(await kinds(last)).toEqual(["warning", "received"]);
  });

  it("misses nothing while many write at once", async () => {
    const { store } = database;
    const seen: number[] = [];
    let last = 0;
    const follow = async (): Promise<void> => {
      const page = await store.eventsAfter(last, 7);
      seen.push(...page.items.map(({ id }) => id));
      last = page.last;
    };
    const state = { isWriting: true };
    const writing = Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let i = 0; i < 10; i++) {
          const delivery = await accepted(store, { targetId: nextId("target") });
          await store.save(delivery, { phase: "ready", events: [{ kind: "ready", message: "Ready." }] });
        }
      }),
    ).finally(() => {
      state.isWriting = false;
    });
    while (state.isWriting) await follow();
    await writing;
    while (seen.length < 400) await follow();
    const { rows } = await server.run(url, "select id from delivery_event order by id");
    expect(seen).toEqual(rows.map((row: { id: string }) => Number(row.id)));
  });
});
