import type { Readable } from "node:stream";
import axios, { type AxiosResponse } from "axios";
import { messageOf } from "../model/errors.ts";
import { type Agents, guardedRequest } from "./guarded-request.ts";

export interface HttpRequest {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  url: string;
  query?: Record<string, string | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
  signal: AbortSignal;
}

export interface AnswerForm {
  responseType: "json" | "stream";
  /** Bytes of an answer that is read as a whole; whoever reads a stream bounds its parts. */
  largest: number;
}

const LONGEST_REFUSAL = 64 * 1024;

/**
 * One request with a credential of ours. Resolves with whatever is answered; rejects with a plain Error when nothing is:
 * never with that of the HTTP library, which keeps the request and its token.
 */
export async function send<T>(agents: Agents, request: HttpRequest, form: AnswerForm): Promise<AxiosResponse<T>> {
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
      responseType: form.responseType,
      ...guardedRequest(agents, form.responseType === "stream" ? Number.POSITIVE_INFINITY : form.largest),
    });
  } catch (error) {
    request.signal.throwIfAborted();
    throw withoutRequest(error);
  }
}

function withoutRequest(error: unknown): Error {
  return new Error(messageOf(error));
}

/** What is said with an error, if it is JSON and short. */
export async function bodyOfRefusal(body: Readable): Promise<unknown> {
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

export function isSuccess({ status }: { status: number }): boolean {
  return status >= 200 && status < 300;
}
