/** gitspan installed without its development tools, and run as processes of their own. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, copyFile, cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface Installation {
  directory: string;
  /** `dist/main.js` of a release, `src/main.ts` of a clone. */
  main: string;
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface As {
  uid?: number;
  gid?: number;
}

/**
 * Installs what production needs, from the lock file (npm's cache has it all after `npm ci`). Install scripts do not
 * run, as everywhere in this project. With `closed` only the installing user may enter or read anything of it.
 */
export async function install(
  directory: string,
  what: "dist" | "src",
  { closed = false }: { closed?: boolean } = {},
): Promise<Installation> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, closed ? 0o700 : 0o755);
  for (const file of ["package.json", "package-lock.json"]) await copyFile(file, join(directory, file));
  await cp(what, join(directory, what), { recursive: true });
  const npm = "npm ci --omit=dev --ignore-scripts --prefer-offline --no-fund --no-audit --loglevel=error";
  const { code, stdout, stderr } = await collect(
    spawn("sh", ["-c", closed ? `umask 077; ${npm}` : `${npm} && chmod -R go+rX .`], {
      cwd: directory,
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  if (code !== 0) throw new Error(`${npm}: exit ${code}\n${stdout}${stderr}`);
  return { directory, main: what === "dist" ? "dist/main.js" : "src/main.ts" };
}

/** Runs one command to its end. */
export async function run(installation: Installation, args: readonly string[], as: As = {}): Promise<Ran> {
  return await collect(await start(installation, args, as));
}

export interface Serving {
  /** `http://127.0.0.1:port` */
  address: string;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Ran>;
}

/** `gitspan serve`; rejects with its words when it ends instead of listening. */
export async function serve(installation: Installation, configFile: string, as: As = {}): Promise<Serving> {
  const child = await start(installation, ["serve", "--config", configFile], as);
  const listening = Promise.withResolvers<string | undefined>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    const address = /^gitspan listens on (\S+)$/.exec(line)?.[1];
    if (address !== undefined) listening.resolve(address);
  });
  const ended = collect(child).finally(() => listening.resolve(undefined));
  const address = await listening.promise;
  if (address === undefined) throw new Error(`gitspan serve did not start: ${JSON.stringify(await ended)}`);
  return {
    address,
    async stop() {
      child.kill("SIGTERM");
      return await ended;
    },
  };
}

async function start(
  { directory, main }: Installation,
  args: readonly string[],
  as: As,
): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  // Other users may not be able to run this process's own program: the checkout may be closed to them.
  const own = join(directory, "node_modules/.bin/node");
  const node = await access(own).then(
    () => own,
    () => process.execPath,
  );
  return spawn(node, [join(directory, main), ...args], {
    cwd: "/",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
    stdio: ["ignore", "pipe", "pipe"],
    ...as,
  });
}

async function collect(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ran> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, ...output };
}
