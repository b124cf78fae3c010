import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { systemAmbient } from "../../src/ambient.ts";
import { acceptInput, newDelivery } from "../contracts/store-samples.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

async function happen(environment = "staging"): Promise<string> {
  const id = systemAmbient.ids.uuid();
  const delivery = newDelivery({ id, environment, targetId: `checkout/${environment}` });
  const input = acceptInput({ buildId: systemAmbient.ids.uuid(), deliveries: [delivery] });
  await server.ports.memory.accept(input);
  server.ports.changes.emit("change");
  return id;
}

/** Runs until so many lines have come out, then interrupts. */
async function watch(args: string[], lines: number, onLine: (count: number) => void = () => undefined) {
  const stop = new AbortController();
  let seen = 0;
  const onOutput = (text: string): void => {
    for (const _ of text.trimEnd().split("\n")) onLine(++seen);
    if (seen >= lines) stop.abort(new Error("enough"));
  };
  return runCli(["deliveries", "watch", ...args], { ...server, signal: stop.signal, onOutput });
}

describe("gitspan deliveries watch", () => {
  it("shows what happens, until it is interrupted (130)", async () => {
    const [first, second] = [await happen(), await happen()];
    const result = await watch(["--after", "0", "-o", "name"], 2);
    expect(result).toEqual({ code: 130, stdout: `delivery/${first}\ndelivery/${second}\n`, stderr: "" });
  });

  it("writes one line, one JSON object or one YAML document per event", async () => {
    const id = await happen();
    const table = await watch(["--after", "0"], 1);
    expect(table.stdout).toMatch(/^\S+Z {2}checkout\/staging {2}received {2}received {2}received from token:ci\.?\n$/i);
    const json = await watch(["--after", "0", "-o", "json"], 1);
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 1, kind: "received", delivery: { id } });
    const yaml = await watch(["--after", "0", "-o", "yaml"], 1);
    expect(parseAllDocuments(yaml.stdout).map((document) => (document as { toJS(): unknown }).toJS())).toMatchObject([
      { id: 1, delivery: { id } },
    ]);
  });

  it("asks for one app and environment", async () => {
    await happen("prod");
    const id = await happen("staging");
    const args = ["--app", "checkout", "--environment", "staging", "--after", "0", "-o", "name"];
    expect((await watch(args, 1)).stdout).toBe(`delivery/${id}\n`);
  });

  it("resumes where it was when the connection is lost, and misses nothing", async () => {
    const ids = [await happen()];
    const later: Promise<string>[] = [];
    const result = await watch(["--after", "0", "-o", "name"], 3, (count) => {
      if (count !== 1) return;
      server.disconnect();
      later.push(happen(), happen());
    });
    ids.push(...(await Promise.all(later)));
    expect(result.stdout).toBe(ids.map((id) => `delivery/${id}\n`).join(""));
  });

  it.each([
    ["a token that is none (2)", ["--token-file", "/dev/null"], 2, "the token is empty"],
    ["a server that is not there (6)", ["--server", "http://127.0.0.1:1"], 6, "cannot be reached"],
    ["an event that is none (2)", ["--after", "yesterday"], 2, "must be the id of an event"],
  ])("gives up for %s", async (_what, args, code, words) => {
    expect(await runCli(["deliveries", "watch", ...args], server)).toMatchObject({
      code,
      stderr: expect.stringContaining(words),
    });
  });
});
