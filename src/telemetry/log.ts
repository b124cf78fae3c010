import { type DestinationStream, destination, pino } from "pino";
import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { scrub } from "./scrub.ts";

const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
type LogLevel = (typeof LEVELS)[number];

export interface LogOptions {
  clock: Clock;
  /** Default `info`. */
  level?: LogLevel;
  /** Where the lines go; default is standard error, written synchronously so that a crash loses none. */
  output?: DestinationStream;
  /** Fields of every line. */
  fields?: Record<string, unknown>;
}

/** What GITSPAN_LOG_LEVEL says. Throws `config-invalid` for a level that there is not. */
export function logLevelOf(text: string | undefined): LogLevel {
  const level = LEVELS.find((one) => one === (text ?? "info").toLowerCase());
  if (level !== undefined) return level;
  throw new GitspanError("config-invalid", `GITSPAN_LOG_LEVEL is ${JSON.stringify(text)}, which is no level`, {
    hint: `Use one of ${LEVELS.join(", ")}.`,
  });
}

type Write = (message: string, fields?: Record<string, unknown>) => void;

export interface StructuredLog {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}

/**
 * One JSON object per line: `level`, `time` (ISO 8601), `msg`, then the fields without any secret in them. pino's own
 * `redact` needs every path spelled out and stops at fixed depths, so `scrub` does it here for all depths.
 */
export function createLog(options: LogOptions): StructuredLog {
  const logger = pino(
    {
      level: options.level ?? "info",
      base: options.fields === undefined ? null : scrub(options.fields),
      timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: scrub,
      },
      // Errors are taken apart by `scrub`, wherever they are.
      serializers: { err: (value: unknown) => value },
    },
    options.output ?? destination({ fd: 2, sync: true }),
  );
  const write =
    (level: "debug" | "info" | "warn" | "error"): Write =>
    (message, fields) =>
      logger[level](fields ?? {}, message);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
