import type { TokenStore } from "../delivery/store-ports.ts";

/** The part of `src/bridge.ts` that commands use: it alone may know of every adapter. */
export interface BridgeModule {
  /** Resolves when it listens. */
  startBridge(options: { configFile: string }): Promise<{ address: string; close(): Promise<void> }>;
  /** Opens the database of a configuration for as long as `run` takes. */
  withStore<T>(configFile: string, run: (store: TokenStore) => Promise<T>): Promise<T>;
}
