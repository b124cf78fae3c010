import { type Command, Option } from "commander";
import { formatOutcome } from "../model/delivery.ts";
import { messageOf } from "../model/errors.ts";
import type { Io } from "./io.ts";
import { printable } from "./table.ts";
import type { DeliveryBody } from "./wire.ts";

/** One request waits at most this long: proxies cut what is silent for a minute. */
const HOLD_MS = 30_000;
const LOG_EVERY_MS = 5_000;

const STYLES = ["auto", "lines"] as const;
/** `auto`: one line that rewrites itself, only where a person watches. `lines`: one per change, for logs. */
export type ProgressStyle = (typeof STYLES)[number];

export interface Progress {
  /** The server is asked at least this often, as it tells of changes on the way only when asked. Milliseconds. */
  readonly everyMs: number;
  show(deliveries: readonly DeliveryBody[]): void;
  /** The server gave no answer; it is asked again. */
  retrying(error: unknown): void;
  end(): void;
}

export function withProgressOption(command: Command): Command {
  return command.addOption(
    new Option("--progress <style>", "while waiting: auto for a terminal, lines for a log")
      .choices(STYLES)
      .default("auto"),
  );
}

export function progressOf(io: Io, style: ProgressStyle): Progress {
  if (style === "lines") return changes(io);
  if (io.stderr.isTTY !== true) return silent;
  return {
    ...silent,
    show: (deliveries) => {
      const states = deliveries.map((delivery) => `${delivery.target} ${stateOf(delivery)}`);
      io.stderr.write(`\r\u001b[2K${printable(states.join(", "))}`);
    },
    end: () => void io.stderr.write("\r\u001b[2K"),
  };
}

const silent: Progress = { everyMs: HOLD_MS, show: () => undefined, retrying: () => undefined, end: () => undefined };

function changes(io: Io): Progress {
  const said = new Map<string, string>();
  const say = (about: string, text: string) => {
    if (said.get(about) === text) return;
    said.set(about, text);
    io.stderr.write(`${new Date(io.clock.now()).toISOString()} ${printable(text)}\n`);
  };
  return {
    ...silent,
    everyMs: LOG_EVERY_MS,
    show: (deliveries) => {
      said.delete("server");
      for (const delivery of deliveries) {
        const why = delivery.message ?? delivery.verdict?.message;
        say(delivery.id, `${delivery.target}: ${stateOf(delivery)}${why === undefined ? "" : `: ${why}`}`);
      }
    },
    retrying: (error) => say("server", `${messageOf(error)}; asking again`),
  };
}

/** `waiting(hold)`, `following (rolling)`, `failed(degraded)` */
export function stateOf(delivery: DeliveryBody): string {
  if (delivery.outcome !== undefined) return formatOutcome(delivery);
  if (delivery.waitReason !== undefined) return `${delivery.phase}(${delivery.waitReason})`;
  return delivery.verdict === undefined ? delivery.phase : `${delivery.phase} (${delivery.verdict.state})`;
}
