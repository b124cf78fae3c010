import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { accepted, acceptInput, newDelivery, nextId } from "../contracts/store-samples.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";

const LEASE_MS = 60_000;

describe("connections of the store", () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await startTestDatabase();
  });
  afterAll(() => server.close());

  const two = async (): Promise<[Database, Database, string]> => {
    const url = await server.fresh();
    return [await openDatabase(databaseDeps, { url }), await openDatabase(databaseDeps, { url }), url];
  };

  it("queue 200 simultaneous calls of two processes on small pools, and refuse none", async () => {
    const [first, second] = await two();
    const { report } = acceptInput();
    const inputs = Array.from({ length: 200 }, (_, i) =>
      i % 4 === 0
        ? acceptInput({ report })
        : acceptInput({ deliveries: [newDelivery({ targetId: nextId("target") })] }),
    );
    const results = await Promise.all(inputs.map((input, i) => (i % 2 === 0 ? first : second).store.accept(input)));
    expect(results.filter(({ kind }) => kind === "accepted")).toHaveLength(151);
    expect(results.filter(({ kind }) => kind === "repeat")).toHaveLength(49);
    const builds = new Set(results.map((result) => (result.kind === "idempotency-mismatch" ? "" : result.build.id)));
    expect(builds.size).toBe(151);
    await Promise.all([first.close(), second.close()]);
  });

  it("let many claimers of two processes share the work without claiming anything twice", async () => {
    const [first, second] = await two();
    const deliveries = Array.from({ length: 300 }, () => newDelivery({ targetId: nextId("target") }));
    await first.store.accept(acceptInput({ deliveries }));
    const claimer = async (database: Database, owner: string): Promise<string[]> => {
      const mine: string[] = [];
      for (;;) {
        const claimed = await database.store.claim(["received"], 5, { owner, ms: LEASE_MS });
        if (claimed.length === 0) return mine;
        mine.push(...claimed.map(({ id }) => id));
      }
    };
    const claimers = Array.from({ length: 20 }, (_, i) => claimer(i % 2 === 0 ? first : second, `w${i}`));
    const ids = (await Promise.all(claimers)).flat();
    expect(ids).toHaveLength(300);
    expect(new Set(ids).size).toBe(300);
    await Promise.all([first.close(), second.close()]);
  });

  it("answer a server that is not there with a transient failure that says what to check", async () => {
    const closed = createServer();
    closed.listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    closed.close();
    const port = typeof address === "object" ? address?.port : undefined;
    const opening = openDatabase(databaseDeps, { url: `postgresql://me:secret@127.0.0.1:${port}/db` });
    await expect(opening).rejects.toMatchObject({ code: "store-unavailable", transient: true });
    await expect(opening).rejects.not.toThrow("secret");
  });

  it("answer a wrong password and a missing database with a hint", async () => {
    const url = await server.fresh();
    await expect(openDatabase(databaseDeps, { url: url.replace(/:[^:@]+@/, ":wrong@") })).rejects.toMatchObject({
      code: "store-unavailable",
      hint: expect.stringContaining("password"),
    });
    await expect(openDatabase(databaseDeps, { url: url.replace(/test_\d+/, "none") })).rejects.toMatchObject({
      code: "store-unavailable",
      hint: expect.stringContaining("Create the database"),
    });
  });

  it.each(["", "mysql://x", "postgresql://[", "localhost:5432"])("refuse %j as a URL", async (url) => {
    await expect(openDatabase(databaseDeps, { url })).rejects.toMatchObject({ code: "config-invalid" });
  });

  it("come back after the server has dropped all of them, waiters included", async () => {
    const [first, second, url] = await two();
    const stop = new AbortController();
    const waiting = first.store.waitForChange(1, stop.signal);
    await waiting;
    const drop =
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()";
    await server.run(url, drop);
    const ping = async () =>
      await first.ping().then(
        () => "pong",
        (error: unknown) => error,
      );
    await expect.poll(ping, { timeout: 30_000 }).toBe("pong");
    const wake = { isDone: false };
    const woken = first.store.waitForChange(3_600_000, AbortSignal.timeout(30_000)).finally(() => {
      wake.isDone = true;
    });
    while (!wake.isDone) await accepted(second.store).catch(() => undefined);
    await expect(woken).resolves.toBeUndefined();
    await Promise.all([first.close(), second.close()]);
  });

  it("let a call fail as transient, and no other, when its connection breaks in a transaction", async () => {
    const url = await server.fresh();
    const proxy = await startProxy(new URL(url).searchParams.get("host") ?? "");
    const direct = new URL(url);
    direct.searchParams.delete("host");
    direct.hostname = "127.0.0.1";
    direct.port = String(proxy.port);
    const database = await openDatabase(databaseDeps, { url: direct.href });
    const calls = Array.from({ length: 30 }, () => database.store.accept(acceptInput()));
    proxy.breakAll();
    const results = await Promise.allSettled(calls);
    const reasons = results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
    const transient = expect.objectContaining({ code: "store-unavailable", transient: true });
    expect(reasons).toEqual(reasons.map((): unknown => transient));
    expect((await database.store.accept(acceptInput())).kind).toBe("accepted");
    await database.close();
    proxy.close();
  });
});

/** TCP in front of the server's socket, to be cut. */
async function startProxy(directory: string) {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(`${directory}/.s.PGSQL.5432`);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    breakAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () => proxy.close(),
  };
}
