import http from "node:http";
import https from "node:https";
import axios from "axios";
import type { Ambient } from "../model/ambient.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export type Credentials = { username: string; password: string } | { bearer: string };

/** Milliseconds. */
export interface Timeouts {
  connectMs: number;
  /** From the end of the request to the first byte of the answer. */
  firstByteMs: number;
  totalMs: number;
}

export interface TransportOptions {
  /** Asked before every request, so that tokens may change. */
  credentials?: () => Promise<Credentials | undefined>;
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string;
  /** URL of an HTTP proxy; "" for none. Absent, the environment decides (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). */
  proxy?: string;
  timeouts: Timeouts;
  maxResponseBytes: number;
}

export interface HttpRequest {
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
  body?: Buffer;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: Partial<Record<string, string>>;
  body: Buffer;
}

/** What is known of a request while it is under way, and afterwards. */
export interface Wire {
  /** False proves that the server saw nothing of the request. */
  connected: boolean;
  /** It went over a connection that was used before: a reset may only mean that the server had closed it. */
  reused: boolean;
  /** The connection broke or never stood; a timeout of ours is no break. */
  broken: boolean;
}

export function newWire(): Wire {
  return { connected: false, reused: false, broken: false };
}

/**
 * HTTP over kept connections, through a proxy if there is one: in the clear for http, through a tunnel (CONNECT) for
 * https. Never follows redirects, never lets a URL's user name or password out.
 */
export class Transport {
  readonly #ambient: Ambient;
  readonly #options: TransportOptions;
  readonly #agents: { httpAgent: http.Agent; httpsAgent: https.Agent };

  constructor(ambient: Ambient, options: TransportOptions) {
    this.#ambient = ambient;
    this.#options = options;
    this.#agents = agentsFor(options);
  }

  /** Closes idle connections; later requests open new ones. */
  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  /**
   * Any HTTP status is an answer.
   * @throws GitspanError git-unreachable (transient) for network failures and timeouts, git-too-large; the signal's reason
   */
  async send(request: HttpRequest, wire: Wire = newWire()): Promise<HttpAnswer> {
    const { signal } = request;
    signal.throwIfAborted();
    const authorization = authorizationOf(await this.#options.credentials?.());
    const stop = new AbortController();
    const timers = this.#startTimers(request.url, stop);
    try {
      const response = await axios.request<Buffer>({
        method: request.method,
        url: request.url,
        headers: { ...request.headers, ...authorization },
        data: request.body,
        signal: AbortSignal.any([signal, stop.signal]),
        responseType: "arraybuffer",
        maxContentLength: this.#options.maxResponseBytes,
        maxBodyLength: Number.POSITIVE_INFINITY,
        maxRedirects: 0,
        validateStatus: () => true,
        transport: observed(wire, timers),
        ...this.#agents,
      });
      return { status: response.status, headers: headersOf(response.headers), body: response.data };
    } catch (error) {
      signal.throwIfAborted();
      if (stop.signal.aborted) throw stop.signal.reason;
      wire.broken = true;
      throw this.#failure(request.url, error);
    } finally {
      timers.clear();
    }
  }

  #failure(url: string, error: unknown): GitspanError {
    const message = messageOf(error);
    if (message.includes("maxContentLength")) {
      const limit = this.#options.maxResponseBytes;
      return new GitspanError("git-too-large", `the answer of ${placeOfUrl(url)} is larger than ${limit} bytes`, {
        hint: "keep large files out of the paths that gitspan reads",
      });
    }
    // The library's error holds the request with its headers: only its words go on.
    return new GitspanError("git-unreachable", `${placeOfUrl(url)} cannot be reached: ${message || "no answer"}`, {
      hint: "check the address, the network and the server's certificate",
      transient: true,
    });
  }

  #startTimers(url: string, stop: AbortController): Timers {
    const { connectMs, firstByteMs, totalMs } = this.#options.timeouts;
    const armed = new Set<AbortController>();
    const arm = (ms: number, what: string): (() => void) => {
      const cancel = new AbortController();
      armed.add(cancel);
      const expired = (): void => {
        stop.abort(
          new GitspanError("git-unreachable", `${placeOfUrl(url)}: ${what} took longer than ${ms} ms`, {
            hint: "look at the server's load, or raise the timeout",
            transient: true,
          }),
        );
      };
      this.#ambient.clock.sleep(ms, cancel.signal).then(expired, () => undefined);
      return () => cancel.abort();
    };
    arm(totalMs, "the whole request");
    return {
      connecting: () => arm(connectMs, "connecting"),
      waiting: () => arm(firstByteMs, "the first byte of the answer"),
      clear: () => {
        for (const cancel of armed) cancel.abort();
      },
    };
  }
}

/**
 * Node's own agents keep the tunnels through a proxy open as they keep other connections.
 * @throws GitspanError git-unsupported when the proxy's URL is none; without showing it, as it may hold a password
 */
function agentsFor({ ca, proxy }: TransportOptions): { httpAgent: http.Agent; httpsAgent: https.Agent } {
  const given = proxy === "" ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const proxyEnv = proxy === undefined ? process.env : given;
  try {
    if (proxy !== undefined && proxy !== "" && !/^https?:$/.test(new URL(proxy).protocol)) throw new Error("no proxy");
    return {
      httpAgent: new http.Agent({ keepAlive: true, proxyEnv }),
      httpsAgent: new https.Agent({ keepAlive: true, ca, proxyEnv }),
    };
  } catch {
    throw new GitspanError("git-unsupported", "the proxy's address is not an http or https URL", {
      hint: "write it as http://proxy.example.com:3128 (setting `proxy`, or HTTP_PROXY and HTTPS_PROXY)",
    });
  }
}

interface Timers {
  /** Each starts a timer and gives the function that stops it. */
  connecting: () => () => void;
  waiting: () => () => void;
  clear: () => void;
}

/** Node's own client, watched: axios tells neither when a connection stands nor whether it was a used one. */
function observed(wire: Wire, timers: Timers): unknown {
  return {
    request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
      const secure = options.protocol === "https:";
      const request = (secure ? https : http).request(options, onResponse);
      // Begins before there is a socket: a proxy's tunnel is made before.
      const inTime = timers.connecting();
      const connected = (): void => {
        wire.connected = true;
        inTime();
      };
      request.once("socket", (socket) => {
        wire.reused = request.reusedSocket;
        if (request.reusedSocket || !socket.connecting) connected();
        else socket.once(secure ? "secureConnect" : "connect", connected);
      });
      request.once("finish", () => {
        const answered = timers.waiting();
        request.once("response", answered);
      });
      return request;
    },
  };
}

function authorizationOf(credentials: Credentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  if ("bearer" in credentials) return { Authorization: `Bearer ${credentials.bearer}` };
  const { username, password } = credentials;
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

function headersOf(headers: object): Partial<Record<string, string>> {
  const plain: Partial<Record<string, string>> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") plain[name.toLowerCase()] = value;
  }
  return plain;
}

/** The URL without user name, password and query: fit for messages. */
export function placeOfUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/(info\/refs|git-(upload|receive)-pack)$/, "");
}
