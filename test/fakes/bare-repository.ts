/** Bare repositories driven with the git program: what a server's disk holds, and what other people push to it. */
import { spawn } from "node:child_process";
import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A file's text, `null` to delete it; an object for bytes or another mode (`100755`, `120000`, `160000` + commit id). */
export type SeedFile = string | null | { content: string | Uint8Array; mode: string };

export interface LoggedCommit {
  oid: string;
  parents: string[];
  author: string;
  /** Seconds since the epoch. */
  time: number;
  message: string;
}

/** No configuration of the machine's, no questions on a terminal. */
export const gitEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

/** Runs git and gives its standard output; rejects with the standard error when it fails. */
export async function runGit(
  args: readonly string[],
  options: { cwd?: string; input?: string | Uint8Array; env?: NodeJS.ProcessEnv } = {},
): Promise<Buffer> {
  const child = spawn("git", args, { cwd: options.cwd, env: { ...gitEnvironment, ...options.env } });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${Buffer.concat(err).toString().trim()} (exit ${code})`);
  return Buffer.concat(out);
}

/** A new bare repository that serves partial fetches by object id and takes pushes. */
export async function initBare(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  // Without a template: a dozen sample hooks would be copied each time.
  await runGit(["init", "--quiet", "--bare", "--template=", "--initial-branch=main", dir]);
  await appendFile(
    join(dir, "config"),
    "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[http]\n\treceivepack = true\n[gc]\n\tauto = 0\n",
  );
}

let seedTime = 1_700_000_000;

/** Commits on top of the branch (or starts it) without a working tree; gives the new commit's id. */
export async function commitFiles(
  dir: string,
  files: Readonly<Record<string, SeedFile>>,
  message: string,
  branch = "main",
): Promise<string> {
  const old = await revParse(dir, `refs/heads/${branch}`);
  const parts: (string | Uint8Array)[] = [];
  parts.push(`commit refs/heads/${branch}\ncommitter Somebody Else <else@example.com> ${seedTime++} +0000\n`);
  parts.push(`data ${Buffer.byteLength(message)}\n${message}\n`);
  if (old !== undefined) parts.push(`from ${old}\n`);
  for (const [path, file] of Object.entries(files)) {
    if (file === null) {
      parts.push(`D ${path}\n`);
      continue;
    }
    const { content, mode } = typeof file === "string" ? { content: file, mode: "100644" } : file;
    if (mode === "160000") parts.push(`M 160000 ${Buffer.from(content).toString()} ${path}\n`);
    else parts.push(`M ${mode} inline ${path}\ndata ${Buffer.byteLength(content)}\n`, content, "\n");
  }
  await runGit(["fast-import", "--quiet"], { cwd: dir, input: Buffer.concat(parts.map((part) => Buffer.from(part))) });
  const oid = await revParse(dir, `refs/heads/${branch}`);
  if (oid === undefined) throw new Error(`no commit was made on ${branch}`);
  return oid;
}

export async function revParse(dir: string, revision: string): Promise<string | undefined> {
  const found = await runGit(["rev-parse", "--quiet", "--verify", revision], { cwd: dir }).catch(() => undefined);
  return found?.toString().trim();
}

/** Newest first, as `git log` tells. */
export async function logOf(dir: string, revision = "main"): Promise<LoggedCommit[]> {
  const text = (await runGit(["log", "-z", "--format=%H%n%P%n%an <%ae>%n%ct%n%B", revision], { cwd: dir })).toString();
  return text
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [oid = "", parents = "", author = "", time = "0", ...message] = entry.split("\n");
      return {
        oid,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        author,
        time: Number(time),
        message: message.join("\n"),
      };
    });
}

/** A script that the server runs (`pre-receive`, `update`, `post-receive`); whatever it prints is told to the pusher. */
export async function installHook(dir: string, name: string, script: string): Promise<void> {
  const file = join(dir, "hooks", name);
  await mkdir(join(dir, "hooks"), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}
