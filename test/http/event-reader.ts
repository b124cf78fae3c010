import { get, type IncomingMessage } from "node:http";

export interface ReadEvent {
  id: string;
  event: string;
  data: string;
}

/** A small reader of server-sent events, as browsers read them: enough to check what the server sends. */
export class EventReader {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Also of blocks without data, which move it without an event. */
  lastEventId = "";
  readonly comments: string[] = [];
  readonly #response: IncomingMessage;
  readonly #blocks: AsyncIterator<string[]>;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#blocks = blocksOf(response);
  }

  static open(url: string, headers: Record<string, string>): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, (response) => resolve(new EventReader(response))).on("error", reject);
    });
  }

  /** Undefined when the server has ended the stream. */
  async next(): Promise<ReadEvent | undefined> {
    for (;;) {
      const event = await this.nextBlock();
      if (event === undefined || event.data !== "") return event;
    }
  }

  /** Also what is no event: a comment, a position. */
  async nextBlock(): Promise<ReadEvent | undefined> {
    const { value, done } = await this.#blocks.next();
    if (done === true) return undefined;
    const event: ReadEvent = { id: this.lastEventId, event: "message", data: "" };
    for (const line of value) {
      const [name = "", ...rest] = line.split(": ");
      if (name === "") this.comments.push(rest.join(": "));
      else if (name === "id" || name === "event" || name === "data") event[name] = rest.join(": ");
    }
    this.lastEventId = event.id;
    return event;
  }

  pause(): void {
    this.#response.pause();
  }

  close(): void {
    this.#response.destroy();
  }
}

async function* blocksOf(response: IncomingMessage): AsyncGenerator<string[]> {
  let text = "";
  try {
    for await (const chunk of response) {
      text += String(chunk);
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) yield block.split("\n");
    }
  } catch {
    // Cut off: the end of what there is to read, too.
  }
}
