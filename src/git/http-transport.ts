import http from "node:http";
import https from "node:https";
import axios from "axios";
import type { Ambient } from "../model/ambient.ts";
import { GitspanError, messageOf } from "../model/errors.ts";
import { startTimers, type Timers } from "./timers.ts";
import {
  type HttpAnswer,
  type HttpRequest,
  newWire,
  placeOfUrl,
  type Timeouts,
  type Transport,
  type Wire,
} from "./transport.ts";

export type Credentials = { username: string; password: string } | { bearer: string };

export interface HttpTransportOptions {
  /** Asked before every request, so that tokens may change. */
  credentials?: () => Promise<Credentials | undefined>;
  /** The server does not take the credentials: whoever keeps some has to get others. */
  refused?: () => void;
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string;
  /** URL of an HTTP proxy; "" for none. Absent, the environment decides (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). */
  proxy?: string;
  timeouts: Timeouts;
  maxResponseBytes: number;
}

/**
 * HTTP over kept connections, through a proxy if there is one: in the clear for http, through a tunnel (CONNECT) for
 * https. Never follows redirects, never lets a URL's user name or password out.
 */
export class HttpTransport implements Transport {
  readonly #ambient: Ambient;
  readonly #options: HttpTransportOptions;
  readonly #agents: { httpAgent: http.Agent; httpsAgent: https.Agent };

  constructor(ambient: Ambient, options: HttpTransportOptions) {
    this.#ambient = ambient;
    this.#options = options;
    this.#agents = agentsFor(options);
  }

  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  async send(request: HttpRequest, wire: Wire = newWire()): Promise<HttpAnswer> {
    const { signal } = request;
    signal.throwIfAborted();
    const authorization = authorizationOf(await this.#options.credentials?.());
    const stop = new AbortController();
    const timers = startTimers(this.#ambient.clock, this.#options.timeouts, placeOfUrl(request.url), stop);
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
      if (response.status === 401) this.#options.refused?.();
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
}

/**
 * Node's own agents keep the tunnels through a proxy open as they keep other connections.
 * @throws GitspanError git-unsupported when the proxy's URL is none; without showing it, as it may hold a password
 */
function agentsFor({ ca, proxy }: HttpTransportOptions): { httpAgent: http.Agent; httpsAgent: https.Agent } {
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
