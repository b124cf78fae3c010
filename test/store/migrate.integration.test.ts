import { readdir } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { accepted } from "../contracts/store-samples.ts";
import { databaseDeps, startTestDatabase, type TestDatabase } from "../fakes/database.ts";

describe("migrations", () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await startTestDatabase();
  });
  afterAll(() => server.close());

  const applied = async (url: string): Promise<string[]> => {
    const { rows } = await server.run(url, "select name from gitspan_migration order by name");
    return rows.map((row: { name: string }) => row.name);
  };

  it("are applied once when many processes start on an empty database at once", async () => {
    const url = await server.empty();
    const databases = await Promise.all(Array.from({ length: 6 }, () => openDatabase(databaseDeps, { url })));
    await Promise.all(databases.map(({ store }) => accepted(store)));
    await Promise.all(databases.map((database) => database.close()));
    const files = await readdir(new URL("../../src/store/migrations/", import.meta.url));
    expect(await applied(url)).toEqual(files.sort());
  });

  it("refuse a database that a newer version has changed, and leave it alone", async () => {
    const url = await server.fresh();
    await server.run(url, "insert into gitspan_migration (name) values ('9999-from-the-future.sql')");
    await expect(openDatabase(databaseDeps, { url })).rejects.toMatchObject({
      code: "store-migration",
      message: expect.stringContaining("9999-from-the-future.sql"),
      hint: expect.stringContaining("newer"),
    });
  });

  it("change nothing when one of their statements fails", async () => {
    const url = await server.empty();
    await server.run(url, "create table token (id int)");
    await expect(openDatabase(databaseDeps, { url })).rejects.toMatchObject({ code: "store-migration" });
    const { rows } = await server.run(
      url,
      "select relname from pg_class where relname in ('build', 'gitspan_migration')",
    );
    expect(rows).toEqual([]);
  });

  it("say what right is missing", async () => {
    const url = await server.empty();
    await server.run(url, "create role restricted login password 'secret'");
    const restricted = url.replace(/\/\/[^@]+@/, "//restricted:secret@");
    await expect(openDatabase(databaseDeps, { url: restricted })).rejects.toMatchObject({
      code: "store-migration",
      hint: expect.stringContaining("grant create"),
    });
  });

  it("do nothing on a database that is up to date", async () => {
    const url = await server.fresh();
    const before = await applied(url);
    await migrate(new Client({ connectionString: url }));
    expect(await applied(url)).toEqual(before);
  });
});
