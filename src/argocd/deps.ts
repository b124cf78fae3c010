import type { Clock, Random } from "../model/ambient.ts";

/** Messages are constants, everything that varies is a field. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

export interface ArgoCdDeps {
  ambient: { clock: Clock; random: Random };
  log: Log;
}
