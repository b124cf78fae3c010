import { chown, lstat, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { GitspanError } from "../../model/errors.ts";

/** The system user under which PostgreSQL runs. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

const PREFERRED = ["postgres", "nobody"];

/**
 * PostgreSQL refuses to run as root. Started by root it runs as the owner of an existing data directory, else as
 * `postgres`, else as `nobody`; no user is created. Undefined: not root, it runs as we do.
 */
export async function serverAccount(dataDirectory: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = parsePasswd(await readFile("/etc/passwd", "utf8").catch(() => ""));
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) {
    const named = accounts.find(({ uid }) => uid === owner.uid);
    return named ?? { uid: owner.uid, gid: owner.gid, name: String(owner.uid) };
  }
  for (const name of PREFERRED) {
    const account = accounts.find((one) => one.name === name && one.uid !== 0);
    if (account !== undefined) return account;
  }
  throw new GitspanError(
    "store-unavailable",
    "PostgreSQL does not run as root, and no user `postgres` or `nobody` exists",
    {
      hint: "Run gitspan as an unprivileged user, or use a PostgreSQL server (database: {urlEnv: DATABASE_URL}).",
    },
  );
}

function parsePasswd(text: string): Account[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

export function canEnter(account: Account, directory: { uid: number; gid: number; mode: number }): boolean {
  const { uid, gid, mode } = directory;
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}

/** Throws when the account cannot get to the path because a directory above it is closed to it. */
export async function requireReachable(account: Account | undefined, path: string): Promise<void> {
  const closed = await closedDirectory(account, path);
  if (account === undefined || closed === undefined) return;
  throw new GitspanError("store-unavailable", `user ${account.name}, as whom PostgreSQL runs, cannot enter ${closed}`, {
    hint: `Run gitspan as an unprivileged user, choose a directory that ${account.name} can reach, or allow it: chmod o+x ${closed}`,
  });
}

/** The nearest directory above the path that the account cannot enter; undefined when it can get there. */
export async function closedDirectory(account: Account | undefined, path: string): Promise<string | undefined> {
  if (account === undefined) return undefined;
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (!canEnter(account, await lstat(directory))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
