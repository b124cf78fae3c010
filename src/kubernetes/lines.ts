import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { withTimeLimit } from "./time-limit.ts";
import type { Trouble } from "./trouble.ts";

/** The largest object seen in the wild is about 1.5 MB (the limit of etcd). */
const LONGEST_LINE = 16 * 1024 * 1024;

export interface LinesInput {
  chunks: AsyncIterable<Uint8Array>;
  /** Nothing in so many milliseconds means that the other end is gone without a word. */
  idleMs: number;
  signal: AbortSignal;
  trouble: Trouble;
}

/** The lines of a stream as they come; throws the transient `unreachable` of the peer when it falls silent. */
export async function* linesOf(clock: Clock, { chunks, idleMs, signal, trouble }: LinesInput): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const iterator = chunks[Symbol.asyncIterator]();
  let pending: string[] = [];
  let length = 0;
  const message = `nothing came for ${Math.round(idleMs / 1_000)} s on a watch`;
  try {
    for (;;) {
      const next = await withTimeLimit(clock, { ms: idleMs, message, signal, trouble }, async () => iterator.next());
      if (next.done === true) return;
      const text = decoder.decode(next.value, { stream: true });
      const parts = text.split("\n");
      const last = parts.pop() ?? "";
      for (const part of parts) {
        yield pending.join("") + part;
        pending = [];
        length = 0;
      }
      pending.push(last);
      length += last.length;
      if (length > LONGEST_LINE) throw new GitspanError(trouble.protocol, "a line of the watch does not end");
    }
  } finally {
    // Not awaited: a stream that hangs would hang here too; its request is aborted by the caller.
    iterator.return?.().catch(() => undefined);
  }
}
