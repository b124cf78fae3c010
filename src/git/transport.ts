/** How requests reach a server. Git's smart HTTP sets the form; SSH takes the same questions and gives the same answers. */

/** Milliseconds. */
export interface Timeouts {
  connectMs: number;
  /** From the end of the request to the first byte of the answer. */
  firstByteMs: number;
  totalMs: number;
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

export interface Transport {
  /**
   * Any status is an answer.
   * @throws GitspanError git-unreachable (transient) for network failures and timeouts, git-too-large; the signal's reason
   */
  send(request: HttpRequest, wire?: Wire): Promise<HttpAnswer>;
  /** Closes idle connections; later requests open new ones. */
  close(): void;
}

/** The URL without user name, password and query: fit for messages. */
export function placeOfUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/(info\/refs|git-(upload|receive)-pack)$/, "")}`;
}
