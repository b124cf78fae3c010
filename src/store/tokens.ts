import { jsonText } from "./rows.ts";
import { read, type Sql, statementTime } from "./sql.ts";

export interface NewToken {
  name: string;
  hash: string;
  groups: string[];
  expiresAt?: number;
}

/** False when a token of that name is in use; a revoked one's name is free again. */
export async function createToken(deps: Sql, token: NewToken): Promise<boolean> {
  const row = await read(deps, (db) =>
    db
      .insertInto("token")
      .values({
        name: token.name,
        hash: token.hash,
        token_groups: jsonText(token.groups),
        expires_at: token.expiresAt === undefined ? null : new Date(token.expiresAt),
        created_at: statementTime,
      })
      .onConflict((conflict) => conflict.column("name").where("revoked_at", "is", null).doNothing())
      .returning("id")
      .executeTakeFirst(),
  );
  return row !== undefined;
}

export async function revokeToken(deps: Sql, name: string): Promise<boolean> {
  const result = await read(deps, (db) =>
    db
      .updateTable("token")
      .set({ revoked_at: statementTime })
      .where("name", "=", name)
      .where("revoked_at", "is", null)
      .executeTakeFirst(),
  );
  return result.numUpdatedRows > 0n;
}

/** Neither revoked nor expired, by database time. */
export async function tokenByHash(deps: Sql, hash: string): Promise<{ name: string; groups: string[] } | undefined> {
  const row = await read(deps, (db) =>
    db
      .selectFrom("token")
      .select(["name", "token_groups"])
      .where("hash", "=", hash)
      .where("revoked_at", "is", null)
      .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", statementTime)]))
      .executeTakeFirst(),
  );
  return row === undefined ? undefined : { name: row.name, groups: row.token_groups };
}
