import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { accepted, acceptInput } from "../contracts/store-samples.ts";
import { databaseDeps } from "../fakes/database.ts";
import { startScript } from "./processes/spawn.ts";

describe("embedded database and crashes", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "gitspan-crash-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const serverPid = async (): Promise<number> =>
    Number.parseInt(await readFile(join(directory, "pgdata/postmaster.pid"), "utf8"), 10);

  it.each([
    ["the bridge", async (bridge: number) => void process.kill(bridge, "SIGKILL")],
    [
      "the bridge and PostgreSQL",
      async (bridge: number) => {
        process.kill(await serverPid(), "SIGKILL");
        process.kill(bridge, "SIGKILL");
      },
    ],
  ])("keeps every acknowledged build when %s is killed", async (_who, kill) => {
    const script = startScript("accepting.ts", [directory]);
    const acknowledged: string[] = [];
    while (acknowledged.length < 50) acknowledged.push((await script.line())!);
    await kill(script.child.pid!);
    for (let line = await script.line(); line !== undefined; line = await script.line()) {
      if (line.startsWith("build-")) acknowledged.push(line);
    }
    await script.ended();
    const database = await openDatabase(databaseDeps, { embedded: directory });
    try {
      for (const id of acknowledged) expect(await database.store.build(id)).toMatchObject({ id });
      const { items } = await database.store.deliveries({ limit: 10_000 });
      // One more may have been committed whose answer was never heard.
      expect([acknowledged.length, acknowledged.length + 1]).toContain(items.length);
      expect((await database.store.accept(acceptInput())).kind).toBe("accepted");
    } finally {
      await database.close();
    }
  });

  it("starts PostgreSQL again when it dies by itself, and nothing is lost", async () => {
    const database = await openDatabase(databaseDeps, { embedded: directory });
    try {
      const delivery = await accepted(database.store);
      const before = await serverPid();
      process.kill(before, "SIGKILL");
      const answer = async () => await database.store.delivery(delivery.id).catch((error: unknown) => error);
      await expect.poll(answer, { timeout: 30_000 }).toMatchObject({ code: "store-unavailable", transient: true });
      await expect.poll(answer, { timeout: 30_000 }).toEqual(delivery);
      expect(await serverPid()).not.toBe(before);
    } finally {
      await database.close();
    }
  });

  it("starts although the pid of a server long gone now belongs to another process", async () => {
    await (await openDatabase(databaseDeps, { embedded: directory })).close();
    const script = startScript("accepting.ts", [directory]);
    await script.line();
    const pidFile = join(directory, "pgdata/postmaster.pid");
    const server = await serverPid();
    process.kill(script.child.pid!, "SIGKILL");
    process.kill(server, "SIGKILL");
    await script.ended();
    const text = await readFile(pidFile, "utf8");
    await writeFile(pidFile, text.replace(/^\d+/, String(process.ppid)));
    const database = await openDatabase(databaseDeps, { embedded: directory });
    await expect(database.ping()).resolves.toBeUndefined();
    await database.close();
  });
});
