import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Bridge, startBridge, withStore } from "../../src/bridge.ts";
import { mintToken } from "../../src/config/tokens.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface TemporaryBridge {
  bridge: Bridge;
  /** As `token:ci`, which may read and deliver everything. */
  call(path: string, body?: unknown): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** The whole bridge with a PostgreSQL of its own, in a folder that goes with it; `files` lie beside its configuration. */
export async function startTemporaryBridge(
  configuration: Record<string, unknown>,
  files: Readonly<Record<string, string>> = {},
): Promise<TemporaryBridge> {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-bridge-"));
  // Run by root, PostgreSQL works as another user, who has to get to its data.
  await chmod(directory, 0o711);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  const configFile = join(directory, "gitspan.yaml");
  await writeFile(
    configFile,
    stringify({
      apiVersion: "gitspan.dev/v1alpha1",
      kind: "Bridge",
      listen: "127.0.0.1:0",
      database: { embedded: join(directory, "data") },
      access: [{ subject: "token:ci", actions: ["read", "deliver"], apps: ["*"], environments: ["*"] }],
      ...configuration,
    }),
  );
  const bridge = await startBridge({ configFile, log: silent });
  const { token, hash } = mintToken();
  await withStore(configFile, (store) => store.createToken({ name: "ci", hash, groups: [] }));
  return {
    bridge,
    async call(path, body) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
      return (await (await fetch(`${bridge.address}${path}`, init)).json()) as Record<string, unknown>;
    },
    async close() {
      await bridge.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
