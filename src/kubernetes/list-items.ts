import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { withTimeLimit } from "./time-limit.ts";
import type { Trouble } from "./trouble.ts";

/** Larger than any object that etcd takes, and than anything between two of them. */
const LARGEST_ITEM = 16 * 1024 * 1024;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
/** Depth of the objects in a list that is a field of the answer. */
const ITEM_DEPTH = 2;

export interface ListInput {
  chunks: AsyncIterable<Uint8Array>;
  /** Nothing in so many milliseconds means that the other end is gone without a word. */
  idleMs: number;
  signal: AbortSignal;
  trouble: Trouble;
  /** Called with each item as soon as it is there. */
  onItem(item: unknown): void;
}

/**
 * Reads a JSON answer `{..., "items": [{...}, ...]}` item by item, so that ten thousand objects (120 MB) never stand in memory
 * together; resolves with the rest of it. Rejects with `protocol` of the peer for what is no JSON, and with its
 * transient `unreachable` when it falls silent.
 */
export async function readList(clock: Clock, input: ListInput): Promise<unknown> {
  const scanner = new Scanner(input);
  const iterator = input.chunks[Symbol.asyncIterator]();
  const message = `nothing came for ${Math.round(input.idleMs / 1_000)} s of a list`;
  try {
    for (;;) {
      const limit = { ms: input.idleMs, message, signal: input.signal, trouble: input.trouble };
      const next = await withTimeLimit(clock, limit, async () => iterator.next());
      if (next.done === true) return scanner.end();
      scanner.take(next.value);
    }
  } finally {
    // Not awaited: a stream that hangs would hang here too; its request is aborted by the caller.
    iterator.return?.().catch(() => undefined);
  }
}

/** Finds the objects at the depth of items; no byte of UTF-8 but the ASCII ones is a bracket or a quote. */
class Scanner {
  readonly #input: Pick<ListInput, "onItem" | "trouble">;
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** The value at the depth above items is a list. */
  #inList = false;
  #inItem = false;
  #parts: Uint8Array[] = [];
  #rest: Uint8Array[] = [];
  /** Bytes since the last item ended. */
  #length = 0;

  constructor(input: Pick<ListInput, "onItem" | "trouble">) {
    this.#input = input;
  }

  take(chunk: Uint8Array): void {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inText = false;
      } else if (byte === QUOTE) {
        this.#inText = true;
      } else if (OPENING.has(byte)) {
        if (this.#depth === ITEM_DEPTH - 1) this.#inList = byte === 0x5b;
        if (this.#depth === ITEM_DEPTH && this.#inList && byte === 0x7b && !this.#inItem) {
          this.#keep(chunk, start, index);
          start = index;
          this.#inItem = true;
        }
        this.#depth++;
      } else if (CLOSING.has(byte)) {
        this.#depth--;
        if (this.#inItem && this.#depth === ITEM_DEPTH) {
          this.#keep(chunk, start, index + 1);
          start = index + 1;
          this.#finishItem();
        }
      }
    }
    this.#keep(chunk, start, chunk.length);
  }

  /** What is not an item; the items' places are `null`. */
  end(): unknown {
    return parse(this.#rest, this.#input.trouble);
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    // What is not an item is kept to the end: a view would keep the whole chunk alive.
    if (this.#inItem) this.#parts.push(chunk.subarray(start, end));
    else this.#rest.push(chunk.slice(start, end));
    this.#length += end - start;
    if (this.#length <= LARGEST_ITEM) return;
    throw new GitspanError(this.#input.trouble.protocol, "an answer does not end", {
      hint: "Check the address: something else than Argo CD or Kubernetes answers.",
    });
  }

  #finishItem(): void {
    this.#input.onItem(parse(this.#parts, this.#input.trouble));
    this.#inItem = false;
    this.#parts = [];
    this.#length = 0;
    this.#rest.push(NULL);
  }
}

const NULL = Buffer.from("null");

function parse(parts: readonly Uint8Array[], trouble: Trouble): unknown {
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new GitspanError(trouble.protocol, "a list is no JSON, or ends in the middle", {
      hint: "Check the address: a login page or a proxy answers in its place.",
      cause,
      transient: true,
    });
  }
}
