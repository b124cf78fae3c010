/** What the cluster's scripts tell: one line per step, and the end of a log when something died. */
import { readFileSync } from "node:fs";

export function say(line: string): void {
  console.log(`e2e: ${line}`);
}

export function duration(startMs: number): string {
  const seconds = (Date.now() - startMs) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/** The last lines of a log, indented; empty when there is no such file. */
export function tail(file: string, lines = 15): string {
  try {
    return readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .slice(-lines)
      .map((line) => `    ${line}`)
      .join("\n");
  } catch {
    return "";
  }
}
