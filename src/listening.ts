import type { AddressInfo } from "node:net";
import type { ListenAddress } from "./config/configuration.ts";
import { GitspanError } from "./model/errors.ts";

/** Says in the operator's words that an address is taken. */
export async function listening({ host, port }: ListenAddress, started: Promise<unknown>): Promise<void> {
  try {
    await started;
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "EADDRINUSE") throw cause;
    throw new GitspanError("config-invalid", `cannot listen on ${host}:${port}: another process does`, {
      cause,
      hint: "Stop the other process, or choose another address in `listen` or `metricsListen`.",
    });
  }
}

export function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") return String(address);
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
