import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { type Account, canEnter, giveTo, requireReachable, serverAccount } from "./account.ts";

/** Where everything of one embedded database lies. */
export interface EmbeddedPaths {
  root: string;
  data: string;
  password: string;
  log: string;
  links: string;
  /** A copy of PostgreSQL itself, made only where its user cannot get to the installed one. */
  programs: string;
  /** Sockets: PostgreSQL's and the locks of the processes that use the directory. */
  sockets: string;
}

// sun_path holds 104 bytes on macOS, 108 on Linux, with the NUL.
const MAX_SOCKET_PATH = 103;
const LONGEST_NAME = "/.s.PGSQL.5432.lock";

/** Makes the directories, owned by whoever PostgreSQL will run as. */
export async function preparePaths(directory: string): Promise<{ paths: EmbeddedPaths; account: Account | undefined }> {
  try {
    const wanted = resolve(directory);
    await makeParents(dirname(wanted));
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    const root = await realpath(wanted);
    const account = await serverAccount(join(root, "pgdata"));
    if (account !== undefined && !canEnter(account, await lstat(root))) await giveTo(account, root);
    await requireReachable(account, join(root, "pgdata"));
    const sockets = await socketDirectory(root, account);
    const paths = {
      root,
      data: join(root, "pgdata"),
      password: join(root, "password"),
      log: join(root, "postgresql.log"),
      links: join(root, "lib"),
      programs: join(root, "postgresql"),
      sockets,
    };
    return { paths, account };
  } catch (error) {
    if (error instanceof GitspanError) throw error;
    throw new GitspanError(
      "store-unavailable",
      `the database directory ${directory} cannot be used: ${messageOf(error)}`,
      {
        hint: "Check that the directory can be written, or choose another one.",
        cause: error,
      },
    );
  }
}

/** Made by root, they let PostgreSQL's user through, whatever the umask; those that are there stay as they are. */
async function makeParents(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined || process.getuid?.() !== 0) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await chmod(made, (await lstat(made)).mode | 0o011);
  }
}

/** Beside the data, so that every container that sees the data sees the locks; in /tmp when the path is too long. */
async function socketDirectory(root: string, account: Account | undefined): Promise<string> {
  const beside = join(root, "run");
  const isShort = Buffer.byteLength(beside + LONGEST_NAME) <= MAX_SOCKET_PATH;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const path = isShort ? beside : join("/tmp", `gitspan-${name}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(path);
  const own = [process.getuid?.(), account?.uid];
  if (!own.includes(uid)) {
    throw new GitspanError("store-unavailable", `${path} belongs to another user (${uid})`, {
      hint: "Remove it, or choose another database directory.",
    });
  }
  await giveTo(account, path);
  return path;
}
