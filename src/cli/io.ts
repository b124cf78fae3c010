import type { Clock, Random } from "../model/ambient.ts";
import type { ArgoCdModule } from "./argocd-module.ts";
import type { BridgeModule } from "./bridge-module.ts";
import type { JudgeModule } from "./judge-module.ts";
import type { TrustModule } from "./trust-module.ts";

interface Output {
  write(text: string): unknown;
  /** True when a person watches. */
  isTTY?: boolean;
  /** True when the reader is slow: who writes much waits for "drain". */
  writableNeedDrain?: boolean;
  once?(event: "drain", listener: () => void): unknown;
}

/** Everything a command touches of the process around it. Data goes to `stdout`, talk to `stderr`. */
export interface Io {
  stdout: Output;
  stderr: Output;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Standard input as it comes, byte for byte. */
  inputBytes(): AsyncIterable<Uint8Array>;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  random: Random;
  /** Aborted when the user or the system asks the process to stop. */
  signal: AbortSignal;
  /** Calls back whenever the user or the system asks a server to read its configuration again. */
  onReload(listener: () => void): void;
  /** Loads the judge of Argo CD's state, without anything else of a server. */
  loadJudge(): Promise<JudgeModule>;
  /** Loads what reads Applications of an Argo CD. */
  loadArgoCd(): Promise<ArgoCdModule>;
  /** Loads what knows registries and signatures, without anything else of a server. */
  loadTrust(): Promise<TrustModule>;
  /** Loads everything a server is made of; only what needs it pays for it. */
  loadBridge(): Promise<BridgeModule>;
}
