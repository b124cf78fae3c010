import { afterEach, beforeEach, expect, it } from "vitest";
import { following } from "../contracts/store-samples.ts";
import { TOKENS } from "../http/fake-ports.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
beforeEach(async () => {
  server = await startServer();
  const { memory } = server.ports;
  const target = { targetId: "checkout/staging", environment: "staging" };
  const healthy = await following(memory, target);
  await memory.save(healthy, { phase: "done", ending: { outcome: "healthy", message: "Runs." } });
  await following(memory, target);
});
afterEach(() => server.close());

const rollback = (...args: string[]) =>
  runCli(["rollback", ...args], { env: { ...server.env, GITSPAN_TOKEN: TOKENS.operator } });

/** Ends the rollback as soon as it is there. */
async function endRollback(outcome: "healthy" | "failed"): Promise<void> {
  const { memory } = server.ports;
  for (;;) {
    const found = (await memory.deliveries({ limit: 1 })).items.find(({ kind }) => kind === "rollback");
    if (found !== undefined) {
      const ending = outcome === "healthy" ? { outcome } : { outcome, reason: "crashing" as const };
      await memory.save(found, { phase: "done", ending: { ...ending, message: `It is ${outcome}.` } });
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("asks for a rollback and shows it", async () => {
  const done = await rollback("checkout/staging", "--why", "it charges twice");
  expect([done.code, done.stderr]).toEqual([0, ""]);
  expect(done.stdout).toContain("Target:     checkout/staging\n");
  expect(done.stdout).toMatch(/Takes out: {2}\S+\n/);
});

it("waits for the outcome, which decides the exit code", async () => {
  const [done] = await Promise.all([
    rollback("checkout/staging", "--why", "w", "--wait", "-o", "json"),
    endRollback("healthy"),
  ]);
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ kind: "rollback", outcome: "healthy" });
});

it("ends with 1 when the rollback failed", async () => {
  const [done] = await Promise.all([rollback("checkout/staging", "--why", "w", "--wait"), endRollback("failed")]);
  expect(done.code).toBe(1);
  expect(done.stderr).toContain("checkout/staging: failed(crashing) It is failed.");
});

it("ends with 5 when the time is up first", async () => {
  const done = await rollback("checkout/staging", "--why", "w", "--wait", "--timeout", "500ms");
  expect(done.code).toBe(5);
  expect(done.stderr).toContain("is not done in time: received");
});

it("wants a reason, and tells a refusal", async () => {
  expect((await rollback("checkout/staging")).code).toBe(2);
  await server.ports.memory.pin("checkout/staging", { by: "eve", why: "freeze" });
  const refused = await rollback("checkout/staging", "--why", "w");
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain("checkout/staging is pinned by eve: freeze");
});
