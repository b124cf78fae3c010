import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BUILD_ID } from "../http/fake-ports.ts";
import { startServer } from "./run-cli.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function spawnCli(args: string[], env: Record<string, string> = {}) {
  return spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function start(args: string[]) {
  const child = spawnCli(args);
  const [[code], stdout, stderr] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { code: code as number, stdout, stderr };
}

it("the program prints its version and ends with 0", async () => {
  const { code, stdout, stderr } = await start(["version"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^gitspan \d+\.\d+\.\d+\n$/);
});

it("the program ends with 2 for a command that it does not know, and says so on standard error", async () => {
  const { code, stdout, stderr } = await start(["deploi"]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("unknown command 'deploi'");
});

it("the program ends with 130 when a wait is interrupted", async () => {
  const server = await startServer();
  server.ports.seed();
  const child = spawnCli(["builds", "wait", BUILD_ID], server.env);
  await once(server.ports.changes, "wait");
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([130, null]);
  await server.close();
});

it("the program does not mind that its reader leaves early", async () => {
  const server = await startServer();
  server.ports.seed({ message: "x".repeat(200_000) });
  const child = spawnCli(["deliveries", "list", "-o", "json"], server.env);
  child.stdout.destroy();
  const [exit, stderr] = await Promise.all([once(child, "exit"), text(child.stderr)]);
  expect([exit, stderr]).toEqual([[0, null], ""]);
  await server.close();
});
