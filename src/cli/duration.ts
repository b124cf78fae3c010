import { InvalidArgumentError } from "commander";
import { parseDuration } from "../config/values.ts";

/** `10m`, `90d` in milliseconds, as the value of an option. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("Write a number and a unit: 500ms, 30s, 10m, 12h or 90d.");
  return ms;
}
