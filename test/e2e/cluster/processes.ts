/** Names a process by its number and start time, so that a number which was given again is never taken for ours. */
import { readFileSync } from "node:fs";

/** "PID STARTTIME", undefined when there is no such process. */
export function identity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; the start time is the 20th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

export function isAlive(recorded: string): boolean {
  return identity(Number(recorded.split(" ")[0])) === recorded.trim();
}
