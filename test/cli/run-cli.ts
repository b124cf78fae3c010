import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { systemAmbient } from "../../src/ambient.ts";
import type { BridgeModule } from "../../src/cli/bridge-module.ts";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/program.ts";
import { type FakePorts, TOKENS } from "../http/fake-ports.ts";
import { startApp } from "../http/requests.ts";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliWorld {
  env?: Record<string, string>;
  input?: string;
  tty?: boolean;
  signal?: AbortSignal;
  bridge?: BridgeModule;
  /** Told of everything that goes to standard output. */
  onOutput?: (text: string) => void;
}

/** Runs a command line in this process and collects what it writes. */
export async function runCli(args: readonly string[], world: CliWorld = {}): Promise<CliResult> {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    write: (text: string) => void (written[name] += text),
    isTTY: world.tty ?? false,
  });
  const io: Io = {
    stdout: {
      ...output("stdout"),
      write: (text: string) => {
        written.stdout += text;
        world.onOutput?.(text);
      },
    },
    stderr: output("stderr"),
    readInput: async () => world.input ?? "",
    inputBytes: () => Readable.from([Buffer.from(world.input ?? "")]),
    env: world.env ?? {},
    clock: systemAmbient.clock,
    random: { next: () => 0 },
    signal: world.signal ?? new AbortController().signal,
    onReload: () => undefined,
    loadJudge: () => import("../../src/argocd/explain-input.ts"),
    loadArgoCd: () => import("../../src/argocd/read-once.ts"),
    loadTrust: () => import("../../src/verify-image.ts"),
    loadBridge: async () => {
      if (world.bridge === undefined) throw new Error("this command has no business with the bridge");
      return world.bridge;
    },
  };
  const code = await run(args, io);
  return { code, ...written };
}

export interface CliServer {
  ports: FakePorts;
  /** Environment that points the CLI to it. */
  env: Record<string, string>;
  port: number;
  /** Cuts every connection; the server goes on. */
  disconnect(): void;
  close(): Promise<void>;
}

/** A real server on a free port of the loopback interface, over fakes. */
export async function startServer(port = 0): Promise<CliServer> {
  const { app, ports } = startApp();
  await app.listen({ host: "127.0.0.1", port });
  const { port: bound } = app.server.address() as AddressInfo;
  return {
    ports,
    port: bound,
    env: { GITSPAN_SERVER: `http://127.0.0.1:${bound}`, GITSPAN_TOKEN: TOKENS.ci },
    disconnect: () => app.server.closeAllConnections(),
    close: () => app.close(),
  };
}
