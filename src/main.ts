#!/usr/bin/env node
import process from "node:process";
import { text } from "node:stream/consumers";
import { systemAmbient } from "./ambient.ts";
import { run } from "./cli/program.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  // A second signal meets no handler and ends the process at once.
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
// `gitspan deliveries list | head` closes the pipe early; that is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  readInput: () => text(process.stdin),
  inputBytes: () => process.stdin,
  env: process.env,
  clock: systemAmbient.clock,
  random: systemAmbient.random,
  signal: stop.signal,
  // Only a server listens: elsewhere a closed terminal ends the process, as everywhere.
  onReload: (listener) => void process.on("SIGHUP", listener),
  loadJudge: () => import("./argocd/explain-input.ts"),
  loadArgoCd: () => import("./argocd/read-once.ts"),
  loadTrust: () => import("./verify-image.ts"),
  loadBridge: async () => ({ ...(await import("./bridge.ts")), ...(await import("./preview.ts")) }),
});
