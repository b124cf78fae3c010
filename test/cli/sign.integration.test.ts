import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aReport } from "../http/requests.ts";
import { type CliServer, runCli, startServer } from "./run-cli.ts";

let server: CliServer;
let folder: string;
let secretFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gitspan-cli-"));
  secretFile = join(folder, "secret");
  await writeFile(secretFile, "the-second-secret-of-shop-ci\n");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

const input = JSON.stringify({ ...aReport(), source: { ...aReport().source, author: "Zoë <zoe@example.com>" } });
const withoutToken = () => ({ env: { GITSPAN_SERVER: server.env["GITSPAN_SERVER"] ?? "" }, input });

describe("gitspan send --sign-key", () => {
  it("signs the report, and needs no token for it", async () => {
    const args = ["send", "-", "--sign-key", "shop-ci", "--sign-secret-file", secretFile, "-o", "name"];
    const result = await runCli(args, withoutToken());
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(server.ports.accepted.map(({ caller }) => caller.subject)).toEqual(["signature:shop-ci"]);
  });

  it("is refused (4) with another secret", async () => {
    const other = join(folder, "other");
    await writeFile(other, "not-the-secret-of-shop-ci");
    const result = await runCli(["send", "-", "--sign-key", "shop-ci", "--sign-secret-file", other], withoutToken());
    expect(result).toMatchObject({ code: 4, stderr: expect.stringContaining("the signature is not valid") });
    expect(result.stderr).not.toContain("not-the-secret");
  });

  it.each([
    ["a key without a secret", ["--sign-key", "shop-ci"], "--sign-secret-file"],
    ["a secret without a key", ["--sign-secret-file", "/nonexistent"], "--sign-key"],
    ["a secret that is not there", ["--sign-key", "k", "--sign-secret-file", "/nonexistent"], "cannot be read"],
    ["a key that is no header", ["--sign-key", "a\nb", "--sign-secret-file", "/dev/null"], "characters"],
    ["an empty secret", ["--sign-key", "k", "--sign-secret-file", "/dev/null"], "shorter than 16 bytes"],
  ])("refuses %s as usage (2)", async (_what, args, words) => {
    const result = await runCli(["send", "-", ...args], withoutToken());
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
  });

  it("needs a token to wait, as that is reading", async () => {
    const args = ["send", "-", "--sign-key", "shop-ci", "--sign-secret-file", secretFile, "--wait"];
    expect(await runCli(args, withoutToken())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no token"),
    });
    server.ports.seed({ phase: "done", outcome: "healthy" });
    expect(await runCli(args, { ...server, input })).toMatchObject({ code: 0 });
  });
});
