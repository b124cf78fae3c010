import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfiguration } from "../config/load.ts";
import { messageOf } from "../model/errors.ts";
import { discover } from "../overlays/discover.ts";
import { usage } from "./edit-intents.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { initialConfiguration, type Origin } from "./init-config.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";
import { readTree } from "./tree-files.ts";

/** `gitspan init`: never replaces a file. */
export async function runInit(io: Io, folder: string, output: string | undefined): Promise<ExitCode> {
  const { places, unread } = discover(await readTree(folder, io.signal));
  for (const { file } of unread) io.stderr.write(`gitspan: not looked into: ${printable(file)}\n`);
  if (places.length === 0)
    throw usage(`no file in ${folder} says which image runs`, "Name the folder of a clone of the GitOps repository.");
  const text = initialConfiguration(places, await originOf(folder));
  // What is written must be taken by `gitspan serve`.
  loadConfiguration(text, output ?? "gitspan.yaml");
  if (output === undefined) {
    io.stdout.write(text);
    return EXIT.ok;
  }
  try {
    await writeFile(output, text, { flag: "wx" });
  } catch (error) {
    throw usage(`${output} cannot be written: ${messageOf(error)}`, "Choose a file that does not exist yet.");
  }
  io.stderr.write(
    `gitspan: ${printable(output)} is written; look at it, then: gitspan validate --config ${printable(output)}\n`,
  );
  return EXIT.ok;
}

/** What the clone knows of where it came from, as far as gitspan could read it there. */
async function originOf(folder: string): Promise<Origin> {
  const [config, head] = await Promise.all(["config", "HEAD"].map((name) => textOf(join(folder, ".git", name))));
  const remote = /\[remote "origin"\][^[]*?\burl\s*=\s*(\S+)/.exec(config ?? "")?.[1];
  const branch = /^ref: refs\/heads\/(\S+)/.exec(head ?? "")?.[1];
  return { url: remote === undefined ? undefined : httpsUrl(remote), branch };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** SSH addresses and those with a password in them are turned into plain ones. */
function httpsUrl(remote: string): string | undefined {
  const [, host, path] = /^(?:ssh:\/\/)?[^@/\s]+@([^:/\s]+)(?::\d+\/|[:/])(.+)$/.exec(remote) ?? [];
  const url = host === undefined ? remote : `https://${host}/${path}`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
