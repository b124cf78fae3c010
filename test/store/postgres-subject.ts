import { openDatabase } from "../../src/store/database.ts";
import type { Store, StoreSubject } from "../contracts/store-samples.ts";
import { databaseDeps, type TestDatabase } from "../fakes/database.ts";

/** Time passes by moving everything that is stored into the past. */
const ADVANCE = `
  with ms as (select $1::double precision * interval '1 millisecond' as span),
    d as (update delivery set due_at = due_at - span, lease_until = lease_until - span, expire_at = expire_at - span, created_at = created_at - span, updated_at = updated_at - span from ms),
    l as (update lane set due_at = due_at - span, lease_until = lease_until - span from ms),
    b as (update rollback_brake set until = until - span from ms),
    h as (update hold set until = until - span from ms)
  update token set expires_at = expires_at - span from ms`;

/** What the store contract is about, on a new database of the server. */
export async function postgresSubject(server: TestDatabase): Promise<StoreSubject> {
  const url = await server.fresh();
  const first = await openDatabase(databaseDeps, { url });
  const second = await openDatabase(databaseDeps, { url });
  const store: Store = first.store;
  return {
    store,
    other: second.store,
    advance: async (ms) => {
      await server.run(url, ADVANCE, [ms]);
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
