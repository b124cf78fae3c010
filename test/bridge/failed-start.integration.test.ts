import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { startBridge } from "../../src/bridge.ts";

it("a start whose port is in use stops its work before the store, and says nothing but that", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-start-"));
  await chmod(directory, 0o711);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const configFile = join(directory, "gitspan.yaml");
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: `127.0.0.1:${(other.address() as AddressInfo).port}`,
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: "http://127.0.0.1:1/gitops.git" } },
    environments: { dev: {} },
    apps: { web: { images: { web: "registry.example.com/web" }, targets: { dev: { kustomize: "web" } } } },
  };
  await writeFile(configFile, stringify(configuration));
  const complaints: string[] = [];
  const complain = (message: string) => void complaints.push(message);
  const log = { debug() {}, info() {}, warn: complain, error: complain };
  await expect(startBridge({ configFile, log })).rejects.toThrow("another process does");
  expect(complaints).toEqual([]);
  other.close();
  await rm(directory, { recursive: true, force: true });
});

it("a start with a key that nobody can read says which", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gitspan-start-"));
  await chmod(directory, 0o711);
  const configFile = join(directory, "gitspan.yaml");
  const configuration = {
    apiVersion: "gitspan.dev/v1alpha1",
    kind: "Bridge",
    listen: "127.0.0.1:0",
    database: { embedded: join(directory, "data") },
    repositories: { gitops: { url: "http://127.0.0.1:1/gitops.git" } },
    environments: { dev: {} },
    trust: { cosignKeyFiles: ["cosign.pub"], require: ["dev"] },
  };
  await writeFile(configFile, stringify(configuration));
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  await expect(startBridge({ configFile, log })).rejects.toThrow("cosign.pub cannot be read");
  await writeFile(join(directory, "cosign.pub"), "no key");
  await expect(startBridge({ configFile, log })).rejects.toThrow("cosign.pub is no public key in PEM form");
  await rm(directory, { recursive: true, force: true });
});
