import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { BridgeModule } from "../../src/cli/bridge-module.ts";
import { hashToken, isTokenFormat, mintToken } from "../../src/config/tokens.ts";
import type { TokenStore } from "../../src/delivery/store-ports.ts";
import { VERSION } from "../../src/version.ts";
import { runCli } from "./run-cli.ts";

type NewToken = Parameters<TokenStore["createToken"]>[0];

/** The bridge with a store of tokens in memory, and a server that only notes that it was closed. */
function fakeBridge(): BridgeModule & { tokens: Map<string, NewToken>; log: string[] } {
  const tokens = new Map<string, NewToken>();
  const log: string[] = [];
  const store: TokenStore = {
    createToken: async (token) => !tokens.has(token.name) && tokens.set(token.name, token).has(token.name),
    revokeToken: async (name) => tokens.delete(name),
    tokenByHash: async () => undefined,
  };
  return {
    tokens,
    log,
    previewBuild: async () => ({ targets: [], misses: [] }),
    withStore: async (configFile, work) => {
      log.push(`open ${configFile}`);
      return work(store);
    },
    startBridge: async ({ configFile }) => {
      log.push(`start ${configFile}`);
      return {
        address: "http://127.0.0.1:8484",
        reload: async () => void log.push("reloaded"),
        close: async () => void log.push("closed"),
      };
    },
  };
}

describe("gitspan token", () => {
  it("prints a new token once and stores only its hash", async () => {
    const bridge = fakeBridge();
    const args = [
      "token",
      "create",
      "shop-ci",
      "--config",
      "g.yaml",
      "--group",
      "ci",
      "--group",
      "shop",
      "--expires",
      "90d",
    ];
    const { code, stdout } = await runCli(args, { bridge });
    expect(code).toBe(0);
    const token = stdout.trim();
    expect(isTokenFormat(token)).toBe(true);
    const stored = bridge.tokens.get("shop-ci");
    expect(stored).toMatchObject({ hash: hashToken(token), groups: ["ci", "shop"] });
    const days = ((stored?.expiresAt ?? 0) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    expect(JSON.stringify([...bridge.tokens.values()])).not.toContain(token);
  });

  it("makes no second token of a name, and revokes only what is there", async () => {
    const bridge = fakeBridge();
    await runCli(["token", "create", "a", "--config", "g.yaml"], { bridge });
    expect((await runCli(["token", "create", "a", "--config", "g.yaml"], { bridge })).code).toBe(2);
    expect((await runCli(["token", "revoke", "a", "--config", "g.yaml"], { bridge })).code).toBe(0);
    expect((await runCli(["token", "revoke", "a", "--config", "g.yaml"], { bridge })).code).toBe(1);
    expect((await runCli(["token", "create", "Not Good", "--config", "g.yaml"], { bridge })).code).toBe(2);
  });

  it("mints from 256 bits of the randomness it is given", () => {
    expect(mintToken((bytes) => new Uint8Array(bytes)).token).toBe(`gsp_${"A".repeat(43)}`);
    expect(mintToken().token).not.toBe(mintToken().token);
    expect(mintToken().hash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("gitspan serve", () => {
  it("runs until it is asked to stop, then closes in good order", async () => {
    const bridge = fakeBridge();
    const stop = new AbortController();
    const running = runCli(["serve", "--config", "g.yaml"], { bridge, signal: stop.signal });
    await expect.poll(() => bridge.log).toEqual(["start g.yaml"]);
    stop.abort();
    const { code, stdout, stderr } = await running;
    expect([code, stdout, stderr]).toEqual([0, "", "gitspan listens on http://127.0.0.1:8484\n"]);
    expect(bridge.log).toEqual(["start g.yaml", "closed"]);
  });
});

describe("gitspan version", () => {
  it("is that of the package", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
    expect(await runCli(["version"])).toEqual({ code: 0, stdout: `gitspan ${VERSION}\n`, stderr: "" });
  });

  it("--help tells the commands and exit codes on standard output", async () => {
    const { code, stdout, stderr } = await runCli(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const word of ["serve", "validate", "send", "builds", "deliveries", "token", "130 interrupted"]) {
      expect(stdout).toContain(word);
    }
  });
});
