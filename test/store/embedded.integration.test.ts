import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { accepted, reread } from "../contracts/store-samples.ts";
import { databaseDeps } from "../fakes/database.ts";
import { startScript } from "./processes/spawn.ts";

const isRoot = process.getuid?.() === 0;

describe("embedded database", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "gitspan-embedded-"));
    await chmod(directory, 0o755);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("keeps its data over a restart and leaves no process or lock behind", async () => {
    const first = await openDatabase(databaseDeps, { embedded: join(directory, "new/data") });
    const delivery = await accepted(first.store);
    await first.close();
    const again = await openDatabase(databaseDeps, { embedded: join(directory, "new/data") });
    expect(await reread(again.store, delivery)).toEqual(delivery);
    await again.close();
    expect(await readdir(join(directory, "new/data/run"))).toEqual([]);
    expect(await readdir(join(directory, "new/data/pgdata"))).not.toContain("postmaster.pid");
  });

  it("keeps its password and its sockets to itself", async () => {
    const database = await openDatabase(databaseDeps, { embedded: directory });
    expect((await stat(join(directory, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "run"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, "pgdata"))).mode & 0o777).toBe(0o700);
    await database.close();
  });

  it("refuses a second serving process and says who holds it and what to do", async () => {
    const database = await openDatabase(databaseDeps, { embedded: directory });
    const script = startScript("opening.ts", [directory, "serve"]);
    const said = await script.line();
    expect(said).toMatch(/^store-in-use: /);
    expect(said).toContain(`process ${process.pid}`);
    expect(said).toContain("DATABASE_URL");
    await script.ended();
    await database.ping();
    await database.close();
  });

  it("lets exactly one of several processes serve that start at once", async () => {
    const scripts = Array.from({ length: 4 }, () => startScript("opening.ts", [directory, "serve"]));
    const said = await Promise.all(scripts.map((script) => script.line()));
    expect(said.filter((line) => line === "open")).toHaveLength(1);
    expect(said.filter((line) => line?.startsWith("store-in-use"))).toHaveLength(3);
    for (const script of scripts) script.child.stdin.end();
    await Promise.all(scripts.map((script) => script.ended()));
  });

  it("serves commands while it runs", async () => {
    const database = await openDatabase(databaseDeps, { embedded: directory });
    const command = await openDatabase(databaseDeps, { embedded: directory, mode: "attach" });
    await command.store.createToken({ name: "ci", hash: "h", groups: [] });
    await command.close();
    expect(await database.store.tokenByHash("h")).toEqual({ name: "ci", groups: [] });
    await database.close();
  });

  it("starts for a command when nobody serves; further commands and a server wait for its end", async () => {
    const command = startScript("opening.ts", [directory, "attach"]);
    expect(await command.line()).toBe("open");
    const another = startScript("opening.ts", [directory, "attach"]);
    const server = startScript("opening.ts", [directory, "serve"]);
    command.child.stdin.end();
    expect(await command.line()).toBe("closed");
    expect(await another.line()).toBe("open");
    another.child.stdin.end();
    expect(await another.line()).toBe("closed");
    expect(await server.line()).toBe("open");
    server.child.stdin.end();
    expect(await server.line()).toBe("closed");
  });

  it("works in a directory whose path is too long for a socket", async () => {
    const deep = join(directory, "d".repeat(60), "e".repeat(60));
    const database = await openDatabase(databaseDeps, { embedded: deep });
    await database.ping();
    const command = await openDatabase(databaseDeps, { embedded: deep, mode: "attach" });
    await expect(command.ping()).resolves.toBeUndefined();
    await command.close();
    await database.close();
    // Sockets are in a directory of /tmp then, named after the data's.
    const name = createHash("sha256")
      .update(await realpath(deep))
      .digest("hex")
      .slice(0, 16);
    await rm(join("/tmp", `gitspan-${name}`), { recursive: true });
  });

  it("stops waiting when it is told to", async () => {
    const reason = new Error("stop");
    const opening = openDatabase(databaseDeps, { embedded: directory }, { signal: AbortSignal.abort(reason) });
    await expect(opening).rejects.toBe(reason);
  });

  it.runIf(isRoot)("says which directory is closed to PostgreSQL's user when started by root", async () => {
    const closed = join(directory, "closed");
    await mkdir(closed);
    await chmod(closed, 0o700);
    const opening = openDatabase(databaseDeps, { embedded: join(closed, "inner/data") });
    await expect(opening).rejects.toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining(closed),
    });
  });
});
