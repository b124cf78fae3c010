import http from "node:http";
import https from "node:https";
import { rootCertificates } from "node:tls";
import axios from "axios";
import type { Clock } from "../model/ambient.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export interface RegistryAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

export interface RegistryRequest {
  url: string;
  headers?: Record<string, string>;
  /** Sent as a form, by POST. */
  form?: Record<string, string>;
  /** Of the answer. */
  maxBytes: number;
  signal: AbortSignal;
}

/** From the first byte that is sent to the last one that comes back. */
const TOTAL_MS = 20_000;
/** At the same time, to one host. */
const CONNECTIONS = 8;

/** HTTP as it is spoken to registries: one request, one bounded answer. Follows no redirect, repeats nothing. */
export class RegistryHttp {
  readonly #clock: Clock;
  readonly #agents: { httpAgent: http.Agent; httpsAgent: https.Agent };

  constructor(clock: Clock, ca: string | undefined) {
    this.#clock = clock;
    const options = { keepAlive: true, maxSockets: CONNECTIONS, proxyEnv: process.env };
    this.#agents = {
      httpAgent: new http.Agent(options),
      // Blobs may lie with somebody whose certificate is a usual one.
      httpsAgent: new https.Agent({ ...options, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }),
    };
  }

  close(): void {
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  /** Rejects with `registry-unreachable` (transient) when no answer comes, and `registry-protocol` for one that is too large. */
  async send(request: RegistryRequest): Promise<RegistryAnswer> {
    const { signal, url, form, maxBytes } = request;
    signal.throwIfAborted();
    const answered = new AbortController();
    const late = new AbortController();
    this.#clock.sleep(TOTAL_MS, answered.signal).then(
      () => late.abort(unreachable(url, `no whole answer within ${TOTAL_MS / 1_000} s`)),
      () => undefined,
    );
    try {
      const response = await axios.request<Buffer>({
        method: form === undefined ? "GET" : "POST",
        url,
        ...(form === undefined ? {} : { data: new URLSearchParams(form) }),
        // What is hashed is what was sent: nothing is unpacked on the way.
        headers: { "User-Agent": "gitspan", "Accept-Encoding": "identity", ...request.headers },
        decompress: false,
        signal: AbortSignal.any([signal, late.signal]),
        responseType: "arraybuffer",
        maxContentLength: maxBytes,
        maxRedirects: 0,
        proxy: false,
        validateStatus: () => true,
        ...this.#agents,
      });
      return { status: response.status, headers: headersOf(response.headers), body: response.data };
    } catch (error) {
      signal.throwIfAborted();
      if (late.signal.aborted) throw late.signal.reason;
      const message = messageOf(error);
      if (message.includes("maxContentLength")) {
        throw new GitspanError("registry-protocol", `${placeOf(url)} answers more than ${maxBytes} bytes`, {
          hint: "What gitspan reads of a registry is small: look what is stored there.",
        });
      }
      // Only the words of the library's error: it holds the request with its headers.
      throw unreachable(url, message);
    } finally {
      answered.abort();
    }
  }
}

/** Milliseconds that the server wants to be left alone (RFC 9110 section 10.2.3); undefined when it does not say. */
export function retryAfterOf(answer: RegistryAnswer, now: number): number | undefined {
  const value = answer.headers["retry-after"] ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Without user name and query: for messages. */
export function placeOf(url: string): string {
  if (!URL.canParse(url)) return "an address that is none";
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function headersOf(headers: object): Record<string, string> {
  const entries: [string, unknown][] = Object.entries(headers);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value]] : [])),
  );
}

function unreachable(url: string, why: string): GitspanError {
  return new GitspanError("registry-unreachable", `${placeOf(url)} cannot be read: ${why}`, {
    hint: "Check the address, the network and the registry's certificate (caFile).",
    transient: true,
  });
}
