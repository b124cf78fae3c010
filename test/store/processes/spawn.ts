import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface Script {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line of output; undefined at its end. */
  line(): Promise<string | undefined>;
  ended(): Promise<void>;
}

/** Starts a script of this folder in a process of its own. */
export function startScript(name: string, args: readonly string[]): Script {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit");
  return {
    child,
    async line() {
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
    async ended() {
      await exited;
    },
  };
}
