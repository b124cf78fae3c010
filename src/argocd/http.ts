import type { Readable } from "node:stream";
import type { AxiosResponse } from "axios";
import type { Agents } from "../kubernetes/guarded-request.ts";
import { bodyOfRefusal, type HttpRequest, isSuccess, send } from "../kubernetes/http.ts";
import { ExpiredError } from "../kubernetes/trouble.ts";
import { record, text } from "../kubernetes/untrusted.ts";
import { GitspanError, messageOf } from "../model/errors.ts";
import { ARGOCD } from "./trouble.ts";

/** The resource tree of an Application with thousands of resources. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** The parsed JSON of a 2xx answer. Rejects with an `argocd-...` error for everything else. */
export async function requestJson(agents: Agents, who: string, request: HttpRequest): Promise<unknown> {
  const response = await reach<unknown>(agents, who, request, "json");
  if (isSuccess(response)) {
    if (typeof response.data === "object" && response.data !== null) return response.data;
    throw new GitspanError("argocd-protocol", `${who} answered something else than JSON`, {
      hint: "Check the address: a login page or a proxy answers in its place.",
    });
  }
  throw refused(who, response.status, response.data);
}

/** The open body of a 2xx answer; abort the signal to close it. */
export async function requestStream(agents: Agents, who: string, request: HttpRequest): Promise<Readable> {
  const response = await reach<Readable>(agents, who, request, "stream");
  if (isSuccess(response)) return response.data;
  throw refused(who, response.status, await bodyOfRefusal(response.data));
}

async function reach<T>(
  agents: Agents,
  who: string,
  request: HttpRequest,
  responseType: "json" | "stream",
): Promise<AxiosResponse<T>> {
  try {
    return await send<T>(agents, request, { responseType, largest: LARGEST_ANSWER });
  } catch (error) {
    request.signal.throwIfAborted();
    throw new GitspanError("argocd-unreachable", `${who} cannot be reached: ${messageOf(error)}`, {
      hint: "Check the address, the network and the certificate authority (caFile).",
      transient: true,
      cause: error,
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
      return new ExpiredError(ARGOCD, message);
    default: {
      const transient = status === 429 || status >= 500;
      return new GitspanError(transient ? "argocd-unreachable" : "argocd-protocol", message, { transient });
    }
  }
}
