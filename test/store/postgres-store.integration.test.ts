import { afterAll, beforeAll } from "vitest";
import { storeContract } from "../contracts/store.ts";
import { startTestDatabase, type TestDatabase } from "../fakes/database.ts";
import { postgresSubject } from "./postgres-subject.ts";

let server: TestDatabase;
beforeAll(async () => {
  server = await startTestDatabase();
});
afterAll(() => server.close());

storeContract("PostgreSQL store", () => postgresSubject(server));
