import type { Command } from "commander";
import { GitspanError, messageOf } from "../model/errors.ts";
import type { Io } from "./io.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8484";

export interface ServerOptions {
  server?: string;
  tokenFile?: string;
  cluster?: string;
}

/** Where the server is, and who we are to it. */
export interface Server {
  url: URL;
  /** Read anew for every request: a kubelet replaces the tokens of service accounts while a command waits. */
  token: () => Promise<string>;
  /** The Kubernetes cluster whose service account the token is of; undefined where that needs no telling. */
  cluster: string | undefined;
}

export function withServerOptions(command: Command): Command {
  return command
    .option("--server <url>", `address of the server (GITSPAN_SERVER; default ${DEFAULT_SERVER})`)
    .option("--token-file <file>", "file with the bearer token (GITSPAN_TOKEN, GITSPAN_TOKEN_FILE)")
    .option(
      "--cluster <name>",
      "cluster of a service account's token, where the server knows several (GITSPAN_CLUSTER)",
    );
}

/** Options win over the environment. Throws `usage` when something is missing or unusable. */
export async function resolveServer(io: Io, options: ServerOptions): Promise<Server> {
  const current = () => token(io, options);
  await current();
  return { url: addressOf(io, options), token: current, cluster: clusterOf(io, options) };
}

/** For requests that show no token. Throws `usage` when the address is unusable. */
export function resolveAddress(io: Io, options: ServerOptions): Server {
  return { url: addressOf(io, options), token: async () => "", cluster: undefined };
}

/** A Task's parameter that nobody set is empty. Throws `usage`. */
function clusterOf(io: Io, options: ServerOptions): string | undefined {
  const cluster = options.cluster ?? io.env["GITSPAN_CLUSTER"] ?? "";
  if (/^[\w.-]*$/.test(cluster)) return cluster || undefined;
  throw new GitspanError("usage", `"${cluster}" is not the name of a cluster`);
}

function addressOf(io: Io, options: ServerOptions): URL {
  return serverUrl(options.server ?? io.env["GITSPAN_SERVER"] ?? DEFAULT_SERVER);
}

function serverUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new GitspanError("usage", `"${text}" is not the address of a server`, {
      hint: "Write it as https://gitspan.example.com.",
    });
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

async function token(io: Io, options: ServerOptions): Promise<string> {
  const inline = options.tokenFile === undefined ? io.env["GITSPAN_TOKEN"] : undefined;
  const text = inline ?? (await readToken(options.tokenFile ?? io.env["GITSPAN_TOKEN_FILE"]));
  // Anything else would break the header, or smuggle in another one.
  if (/^[\x21-\x7e]+$/.test(text.trim())) return text.trim();
  throw new GitspanError("usage", "the token is empty or has characters that no token has");
}

async function readToken(file: string | undefined): Promise<string> {
  if (file === undefined) {
    throw new GitspanError("usage", "there is no token", {
      hint: "Set GITSPAN_TOKEN or GITSPAN_TOKEN_FILE, or pass --token-file.",
    });
  }
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new GitspanError("usage", `the token file cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
