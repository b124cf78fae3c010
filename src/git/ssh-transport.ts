import type { ClientChannel } from "ssh2";
import type { Ambient } from "../model/ambient.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { SshLocation } from "./location.ts";
import { FLUSH } from "./pkt-line.ts";
import { type SshAccess, SshConnection } from "./ssh-connection.ts";
import { startTimers, type Timers } from "./timers.ts";
import { type HttpAnswer, type HttpRequest, newWire, type Timeouts, type Transport, type Wire } from "./transport.ts";
import { orAbort } from "./waiting.ts";

export interface SshTransportOptions {
  location: SshLocation;
  access: SshAccess;
  timeouts: Timeouts;
  maxResponseBytes: number;
}

interface Exchange {
  request: HttpRequest;
  wire: Wire;
  timers: Timers;
  stop: AbortSignal;
}

/**
 * Git over SSH as if it were smart HTTP: each request runs `git-upload-pack` or `git-receive-pack` on the one kept
 * connection. What the program announces first is the answer to a GET, and is skipped before the answer to a POST.
 */
export class SshTransport implements Transport {
  readonly #ambient: Ambient;
  readonly #options: SshTransportOptions;
  readonly #connection: SshConnection;

  constructor(ambient: Ambient, options: SshTransportOptions) {
    this.#ambient = ambient;
    this.#options = options;
    this.#connection = new SshConnection(options.location, options.access);
  }

  close(): void {
    this.#connection.close();
  }

  async send(request: HttpRequest, wire: Wire = newWire()): Promise<HttpAnswer> {
    const { signal } = request;
    signal.throwIfAborted();
    const stop = new AbortController();
    const timers = startTimers(this.#ambient.clock, this.#options.timeouts, this.#options.location.url, stop);
    try {
      const both = AbortSignal.any([signal, stop.signal]);
      return await this.#exchange({ request, wire, timers, stop: both });
    } catch (error) {
      signal.throwIfAborted();
      if (stop.signal.aborted) {
        this.#connection.giveUp();
        throw stop.signal.reason;
      }
      wire.broken = isGitspanError(error, "git-unreachable");
      throw error;
    } finally {
      timers.clear();
    }
  }

  async #exchange({ request, wire, timers, stop }: Exchange): Promise<HttpAnswer> {
    const { location } = this.#options;
    const service = /git-(?:upload|receive)-pack(?=$|&)/.exec(request.url)?.[0] ?? "git-upload-pack";
    const protocol = request.headers["Git-Protocol"];
    wire.reused = this.#connection.stands;
    const inTime = timers.connecting();
    const opening = this.#connection.run(
      `${service} ${quoted(location.path)}`,
      protocol ? { GIT_PROTOCOL: protocol } : {},
    );
    // Whoever no longer waits for it leaves no program running on the server.
    const channel = await orAbort(opening, stop).catch((error: unknown) => {
      opening.then((late) => late.destroy()).catch(() => undefined);
      throw error;
    });
    inTime();
    const program = new Program(channel, this.#options.maxResponseBytes);
    try {
      const answered = timers.waiting();
      const announced = await orAbort(program.announcement(), stop);
      answered();
      if (announced === undefined) return refusalOf(location, program);
      if (request.method === "GET") {
        channel.end(FLUSH);
        return answer(announced);
      }
      // Until here the server knows of nothing that could be done.
      wire.connected = true;
      channel.end(request.body);
      const first = timers.waiting();
      await orAbort(program.more(), stop);
      first();
      const output = await orAbort(program.ended(), stop);
      if (!program.exited && service === "git-upload-pack") throw ended(location, "the connection broke");
      return answer(output.subarray(announced.length));
    } finally {
      channel.destroy();
    }
  }
}

function answer(body: Buffer): HttpAnswer {
  return { status: 200, headers: {}, body };
}

/** The output of a program on the server. */
class Program {
  readonly #limit: number;
  #out: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #size = 0;
  #closed = false;
  #failure: GitspanError | undefined;
  #changed = Promise.withResolvers<void>();
  /** What it said on its error stream, the first part of it. */
  words = "";
  /** It came to its end, whether a good one or not; otherwise the connection did. */
  exited = false;

  constructor(channel: ClientChannel, limit: number) {
    this.#limit = limit;
    channel.on("data", (chunk: Buffer) => this.#take(chunk));
    channel.stderr.on("data", (chunk: Buffer) => {
      this.words = (this.words + chunk.toString("utf8")).slice(0, 2000);
    });
    const end = (): void => {
      this.#closed = true;
      this.#tell();
    };
    channel.on("exit", () => {
      this.exited = true;
    });
    channel.on("error", end);
    channel.on("close", end);
  }

  /** The refs and abilities that it begins with, up to and with their flush; undefined when it ends before. */
  async announcement(): Promise<Buffer | undefined> {
    for (;;) {
      const end = endOfPackets(this.output);
      if (end !== undefined) return this.output.subarray(0, end);
      if (this.#closed) return undefined;
      await this.#change();
    }
  }

  /** Resolves when more comes, or nothing more can come. */
  async more(): Promise<void> {
    if (!this.#closed) await this.#change();
  }

  async ended(): Promise<Buffer> {
    while (!this.#closed) await this.#change();
    return this.output;
  }

  async #change(): Promise<void> {
    await this.#changed.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#limit) {
      this.#failure = new GitspanError("git-too-large", `the server's answer is larger than ${this.#limit} bytes`, {
        hint: "keep large files out of the paths that gitspan reads",
      });
    }
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  get output(): Buffer {
    if (this.#chunks.length > 0) this.#out = Buffer.concat([this.#out, ...this.#chunks.splice(0)]);
    return this.#out;
  }
}

/** Where the first flush ends; undefined while it has not come. What is no packet ends nothing: it is read as it is. */
function endOfPackets(bytes: Buffer): number | undefined {
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const length = Number.parseInt(bytes.toString("latin1", offset, offset + 4), 16);
    if (length === 0) return offset + 4;
    if (Number.isNaN(length)) return undefined;
    offset += Math.max(4, length);
  }
  return undefined;
}

/** In the words of HTTP, so that what follows is the same: the program ended without having announced anything. */
function refusalOf(location: SshLocation, program: Program): HttpAnswer {
  const words = program.words.trim() === "" ? program.output.toString("utf8", 0, 1000) : program.words;
  const said = words.trim().split("\n")[0] ?? "";
  const status = statusOfWords(words);
  if (status === undefined) throw ended(location, said);
  return { status, headers: { "content-type": "text/plain" }, body: Buffer.from(said) };
}

function ended({ url }: SshLocation, said: string): GitspanError {
  return new GitspanError("git-unreachable", `${url} ends the conversation${said === "" ? "" : `: ${said}`}`, {
    hint: "look at the server's log",
    transient: true,
  });
}

/** What servers say instead of running git; undefined for words that may pass. */
export function statusOfWords(words: string): 403 | 404 | undefined {
  if (/not found|does ?n[o']t exist|could not be found|does not appear to be a git repo|no such/i.test(words))
    return 404;
  return /permission|denied|unauthorized|not allowed|forbidden|access|authentication failed/i.test(words)
    ? 403
    : undefined;
}

/** As a shell takes it (git's quote.c, sq_quote_buf). */
function quoted(path: string): string {
  return `'${path.replaceAll(/['!]/g, "'\\$&'")}'`;
}
