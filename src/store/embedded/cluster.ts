import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { codeOf } from "../failures.ts";
import { type Account, giveTo } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { EmbeddedPaths } from "./paths.ts";

export const SUPERUSER = "gitspan";

/** Makes the data directory unless it is there; a start that was interrupted half way leaves nothing behind. */
export async function initialise(
  paths: EmbeddedPaths,
  account: Account | undefined,
  binaries: Binaries,
): Promise<{ password: string }> {
  const isThere = await stat(paths.data).then(
    () => true,
    () => false,
  );
  if (isThere) return { password: await readPassword(paths) };
  const password = randomBytes(24).toString("base64url");
  await writeFile(paths.password, `${password}\n`, { mode: 0o600 });
  await giveTo(account, paths.password);
  const fresh = `${paths.data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await giveTo(account, fresh);
  await runInitdb(paths, account, binaries, fresh);
  await rename(fresh, paths.data);
  return { password };
}

/** Throws when this user may not read it, or when it is not there. */
export async function readPassword(paths: EmbeddedPaths): Promise<string> {
  try {
    return (await readFile(paths.password, "utf8")).trim();
  } catch (error) {
    const isForbidden = codeOf(error) === "EACCES";
    throw new GitspanError("store-unavailable", `the database password cannot be read: ${messageOf(error)}`, {
      hint: isForbidden
        ? "Run the command as the user under whom gitspan serves."
        : `Restore ${paths.password} from a backup; the data directory is of no use without it.`,
      cause: error,
    });
  }
}

async function runInitdb(
  paths: EmbeddedPaths,
  account: Account | undefined,
  binaries: Binaries,
  directory: string,
): Promise<void> {
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${directory}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${paths.password}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-instructions",
    ],
    { env: binaries.env, cwd: paths.sockets, stdio: ["ignore", "pipe", "pipe"], ...identity(account) },
  );
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const closed = Promise.withResolvers<number | null>();
  child.once("error", closed.reject);
  child.once("close", closed.resolve);
  const code = await closed.promise.catch((error: unknown) => messageOf(error));
  if (code === 0) return;
  const hint = output.includes("could not look up effective user ID")
    ? "This user id has no entry in /etc/passwd; add one, or use a PostgreSQL server (database: {urlEnv: DATABASE_URL})."
    : "See the output above; or use a PostgreSQL server (database: {urlEnv: DATABASE_URL}).";
  throw new GitspanError("store-unavailable", `initdb failed (${code}): ${output.trim()}`, { hint });
}

/** The part of the options of `spawn` that says as whom. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}
