import { chmod, constants, copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GitspanError, messageOf } from "../../model/errors.ts";

/** What only compiling against PostgreSQL needs. */
const UNNEEDED = /(\.a|\/pkgconfig)$/;

/**
 * Copies the programs of the PostgreSQL package (50 MB) into the directory, readable for everybody whatever the umask
 * of the installation was. A complete copy of the same version is kept; gives the copy's package folder.
 */
export async function copyPackage(installed: string, directory: string): Promise<string> {
  const copy = join(directory, await versionOf(installed));
  if (await isThere(copy)) return copy;
  const fresh = `${copy}.new`;
  try {
    // Copies of other versions, and what was begun and not finished.
    await rm(directory, { recursive: true, force: true });
    await makeFolder(directory);
    await makeFolder(fresh);
    await copyTree(join(installed, "native"), join(fresh, "native"));
    await rename(fresh, copy);
  } catch (error) {
    throw new GitspanError(
      "store-unavailable",
      `PostgreSQL cannot be copied from ${installed} to ${directory}: ${messageOf(error)}`,
      {
        hint: "Make room or allow writing there, or install gitspan where every user can read it.",
        cause: error,
      },
    );
  }
  return copy;
}

async function copyTree(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    // The libraries' links, where the install script could make them, are made again elsewhere (binaries.ts).
    if (UNNEEDED.test(source) || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) {
      await copyTree(source, target);
      continue;
    }
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o755);
  }
}

/** `mkdir` obeys the umask, which may close it to others. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}

async function versionOf(installed: string): Promise<string> {
  const description: unknown = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const version: unknown =
    typeof description === "object" && description !== null ? Reflect.get(description, "version") : undefined;
  return typeof version === "string" ? version : "unknown";
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
