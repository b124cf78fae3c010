import type { AxiosError, AxiosResponse } from "axios";
import { GitspanError, messageOf } from "../model/errors.ts";
import { problemError } from "./problem-error.ts";
import type { Server } from "./server.ts";
import type { Signer } from "./signer.ts";

/** How long an answer may take that nothing is waited for. */
const ANSWER_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export interface ApiRequest<T> {
  method?: "GET" | "POST" | "DELETE";
  /** Relative to the server's address: `v1/builds`. */
  path: string;
  query?: Readonly<Record<string, string | undefined>>;
  body?: unknown;
  /** Signs the body instead of showing a token. */
  signer?: Signer;
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds that the server may hold the request back on purpose. */
  holdMs?: number;
  /** True for the body of the answer that belongs to the request. */
  accepts: (body: unknown) => body is T;
}

/**
 * One request and its JSON answer. Throws what the server's problem says; `unreachable` (transient) when there was no
 * answer from a gitspan server; the signal's reason when aborted.
 */
export async function callApi<T>(server: Server, request: ApiRequest<T>, signal: AbortSignal): Promise<T> {
  const { default: axios } = await import("axios");
  const data = request.body === undefined ? undefined : JSON.stringify(request.body);
  try {
    const response = await axios.request<string>({
      ...routeOf(server),
      method: request.method ?? "GET",
      url: new URL(request.path, server.url).href,
      params: request.query,
      data,
      headers: {
        accept: "application/json, application/problem+json",
        ...(request.signer?.(data ?? "") ?? (await authorizationOf(server))),
        // Without a body it must not name a type; the library would.
        "content-type": data === undefined ? false : "application/json",
        ...request.headers,
      },
      timeout: (request.holdMs ?? 0) + ANSWER_MS,
      signal,
      maxContentLength: MAX_ANSWER_BYTES,
      responseType: "text",
      transformResponse: (text: string) => text,
    });
    return answerOf(server, request, response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GitspanError) throw error;
    if (axios.isAxiosError(error)) throw unreachable(server, error);
    throw error;
  }
}

/** What every request to the server has in common. */
export function routeOf(server: Server) {
  return {
    // The token goes to this server and nowhere else.
    maxRedirects: 0,
    validateStatus: () => true,
    ...(LOOPBACK.test(server.url.hostname) ? { proxy: false as const } : {}),
  };
}

export async function authorizationOf({ token, cluster }: Server): Promise<Record<string, string>> {
  const authorization = `Bearer ${await token()}`;
  return cluster === undefined ? { authorization } : { authorization, "gitspan-cluster": cluster };
}

function answerOf<T>(server: Server, request: ApiRequest<T>, response: AxiosResponse<string>): T {
  const { status, data, headers } = response;
  const body = parse(data);
  const retryAfter: unknown = headers["retry-after"];
  if (status >= 400) throw problemError(status, body, Number(retryAfter) * 1_000 || undefined);
  if (status < 300 && request.accepts(body)) return body;
  throw new GitspanError(
    "unreachable",
    `${server.url.origin} does not answer like a gitspan server (status ${status})`,
    {
      hint: "Check --server or GITSPAN_SERVER.",
    },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function unreachable(server: Server, error: AxiosError): GitspanError {
  const wrongCertificate = /CERT|SELF_SIGNED|ALTNAME|EPROTO/.test(error.code ?? "");
  const why = error.code === undefined ? messageOf(error) : `${error.code} ${messageOf(error)}`;
  return new GitspanError("unreachable", `${server.url.origin} cannot be reached: ${why}`, {
    hint: wrongCertificate
      ? "Check the certificate; NODE_EXTRA_CA_CERTS names a file of further authorities."
      : "Check --server or GITSPAN_SERVER, and that the server runs.",
    transient: !wrongCertificate,
  });
}
