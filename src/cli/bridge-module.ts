import type { Preview, PreviewRequest } from "../delivery/plan-preview.ts";
import type { TokenStore } from "../delivery/store-ports.ts";

/** The part of `src/bridge.ts` that commands use: it alone may know of every adapter. */
export interface BridgeModule {
  /** Resolves when it listens. */
  startBridge(options: {
    configFile: string;
  }): Promise<{ address: string; reload(): Promise<void>; close(): Promise<void> }>;
  /** Reads the configuration and its repositories, and nothing else. */
  previewBuild(configFile: string, request: Omit<PreviewRequest, "sees">, signal: AbortSignal): Promise<Preview>;
  /** Opens the database of a configuration for as long as `run` takes. */
  withStore<T>(configFile: string, run: (store: TokenStore) => Promise<T>): Promise<T>;
}
