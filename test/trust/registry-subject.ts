import { systemAmbient } from "../../src/ambient.ts";
import type { Clock } from "../../src/model/ambient.ts";
import { digestOf, Registry, type RegistryOptions, type RequestResult } from "../../src/trust/registry.ts";
import type { RegistryReply } from "../fakes/registry-server.ts";

export const MANIFEST = Buffer.from('{"schemaVersion":2,"manifests":[]}');
export const DIGEST = digestOf(MANIFEST);
export const HOST = "registry.example.com";

/** A registry client with what it counted. */
export function aRegistry(options: Partial<RegistryOptions> & { address: string }, clock: Clock = systemAmbient.clock) {
  const counted: RequestResult[] = [];
  const registry = new Registry(
    { clock, counted: (result) => void counted.push(result) },
    { host: HOST, mirrors: [], tokenHosts: [], ...options },
  );
  return { registry, counted };
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export function json(value: unknown, status = 200): RegistryReply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
