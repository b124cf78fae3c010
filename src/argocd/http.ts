import type { Readable } from "node:stream";
import axios, { type AxiosResponse } from "axios";
import { type Agents, guardedRequest } from "../kubernetes/guarded-request.ts";
import { record, text } from "../kubernetes/untrusted.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export interface HttpRequest {
  method?: "GET" | "PATCH" | "DELETE";
  url: string;
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
  signal: AbortSignal;
}

/** The resource tree of an Application with thousands of resources. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

const LONGEST_REFUSAL = 64 * 1024;

/** The parsed JSON of a 2xx answer. Rejects with an `argocd-...` error for everything else. */
export async function requestJson(agents: Agents, who: string, request: HttpRequest): Promise<unknown> {
  const response = await send<unknown>(agents, who, request, "json");
  if (response.status >= 200 && response.status < 300) {
    if (typeof response.data === "object" && response.data !== null) return response.data;
    throw new GitspanError("argocd-protocol", `${who} answered something else than JSON`, {
      hint: "Check the address: a login page or a proxy answers in its place.",
    });
  }
  throw refused(who, response.status, response.data);
}

/** The open body of a 2xx answer; abort the signal to close it. */
export async function requestStream(agents: Agents, who: string, request: HttpRequest): Promise<Readable> {
  const response = await send<Readable>(agents, who, request, "stream");
  if (response.status >= 200 && response.status < 300) return response.data;
  throw refused(who, response.status, await bodyOfRefusal(response.data));
}

/** What is said with an error, if it is JSON and short. */
async function bodyOfRefusal(body: Readable): Promise<unknown> {
  try {
    let text = "";
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > LONGEST_REFUSAL) break;
    }
    return JSON.parse(text);
  } catch {
    return undefined;
  } finally {
    body.destroy();
  }
}

async function send<T>(
  agents: Agents,
  who: string,
  request: HttpRequest,
  responseType: "json" | "stream",
): Promise<AxiosResponse<T>> {
  const query = Object.entries(request.query ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    return await axios.request<T>({
      method: request.method ?? "GET",
      url: request.url,
      params: new URLSearchParams(query),
      headers: request.headers,
      ...(request.body === undefined ? {} : { data: request.body }),
      signal: request.signal,
      responseType,
      // A stream has no end that could be too far away; whoever reads it bounds its parts.
      ...guardedRequest(agents, responseType === "stream" ? Number.POSITIVE_INFINITY : LARGEST_ANSWER),
    });
  } catch (error) {
    request.signal.throwIfAborted();
    throw new GitspanError("argocd-unreachable", `${who} cannot be reached: ${messageOf(error)}`, {
      hint: "Check the address, the network and the certificate authority (caFile).",
      transient: true,
      // Not the error itself: axios keeps the request there, with its token.
      cause: new Error(messageOf(error)),
    });
  }
}

function refused(who: string, status: number, body: unknown): GitspanError {
  const said = text(record(body)["message"], 300);
  const message = `${who} answered ${status}${said === "" ? "" : `: ${said}`}`;
  switch (status) {
    case 401:
      return new GitspanError("argocd-auth", message, { hint: "The token is missing, wrong or expired." });
    case 403:
      return new GitspanError("argocd-forbidden", message, {
        hint: "The account needs the right to get, list and watch Applications.",
      });
    case 404:
      return new GitspanError("argocd-not-found", message, {
        hint: "The Application, or the Applications API itself, is not there.",
      });
    case 410:
      return new ExpiredError(message);
    default: {
      const transient = status === 429 || status >= 500;
      return new GitspanError(transient ? "argocd-unreachable" : "argocd-protocol", message, { transient });
    }
  }
}

/** The version or page asked for is no longer kept: list again. */
export class ExpiredError extends GitspanError {
  constructor(message: string) {
    super("argocd-protocol", message, { transient: true });
  }
}
