import type { Ambient } from "../model/ambient.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { refOf } from "./branch-name.ts";
import { type Capabilities, readCapabilities } from "./capabilities.ts";
import { type FetchAnswer, readFetchAnswer } from "./fetch-answer.ts";
import { failureOf } from "./http-failure.ts";
import { isOid } from "./object.ts";
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from "./pkt-line.ts";
import { type HttpAnswer, type HttpRequest, newWire, placeOfUrl, type Transport, type Wire } from "./transport.ts";

export interface FetchRequest {
  wants: readonly Oid[];
  /** Commits that we say to have: their history is left out. */
  haves?: readonly Oid[];
  /** Leaves out every tree and file that is not wanted by its own id. */
  bare?: boolean;
  /** How many generations of commits; absent means all. */
  depth?: number;
  /** Asks only which haves the server knows; it may still send a pack. */
  negotiate?: boolean;
}

/** Some servers look for a user agent of this form before they speak Git at all. */
const USER_AGENT = "git/gitspan";
const MAX_REDIRECTS = 3;

interface Discovered {
  /** The repository's URL, after redirects within its own server. */
  base: string;
  capabilities: Capabilities;
}

/** One repository on a server: protocol version 2 for reading, the one old protocol there is for writing. */
export class Remote {
  readonly #ambient: Ambient;
  readonly #transport: Transport;
  readonly #url: string;
  /** The URL for messages. */
  readonly place: string;
  #discovered: Discovered | undefined;

  constructor(ambient: Ambient, transport: Transport, url: string) {
    this.#ambient = ambient;
    this.#transport = transport;
    this.#url = url;
    this.place = placeOfUrl(url);
  }

  /**
   * The branch's commit, undefined when there is no such branch.
   * @throws GitspanError of the transport, git-unsupported, git-protocol
   */
  async branchTip(branch: string, signal: AbortSignal): Promise<Oid | undefined> {
    const ref = refOf(branch);
    const body = await this.#command("ls-refs", [`ref-prefix ${ref}`], signal);
    return this.#guarded(() => {
      for (const part of readPackets(body)) {
        if (part.kind !== "data") continue;
        const [oid = "", name] = lineOf(part.data).split(" ");
        if (oid === "ERR") throw new GitspanError("git-protocol", `${this.place} says: ${lineOf(part.data).slice(4)}`);
        if (name === ref && isOid(oid)) return oid;
      }
      return undefined;
    });
  }

  /** @throws GitspanError of the transport, git-not-found when a wanted object is not there, git-protocol */
  async fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchAnswer> {
    const lines = ["no-progress", "ofs-delta"];
    if (request.bare === true) lines.push("filter tree:0");
    if (request.depth !== undefined) lines.push(`deepen ${request.depth}`);
    for (const oid of request.wants) lines.push(`want ${oid}`);
    for (const oid of request.haves ?? []) lines.push(`have ${oid}`);
    if (request.negotiate !== true) lines.push("done");
    const body = await this.#command("fetch", lines, signal);
    return this.#guarded(() => readFetchAnswer(body));
  }

  /** Makes sure that the server is known, so that a push is one request. */
  async prepareToPush(signal: AbortSignal): Promise<void> {
    await this.#discover(signal);
  }

  /** Sends a push; every HTTP status is an answer. */
  async receivePack(body: Buffer, wire: Wire, signal: AbortSignal): Promise<HttpAnswer> {
    const { base } = await this.#discover(signal);
    const headers = headersFor("git-receive-pack");
    const url = `${base}/git-receive-pack`;
    const answer = await this.#transport.send({ method: "POST", url, headers, body, signal }, wire);
    if (answer.status !== 200) this.#forget();
    return answer;
  }

  /** One command of protocol version 2 (gitprotocol-v2, "Command Request"). */
  async #command(command: string, lines: readonly string[], signal: AbortSignal): Promise<Buffer> {
    const { base } = await this.#discover(signal);
    const body = Buffer.concat([
      packet(`command=${command}\n`),
      packet("agent=gitspan\n"),
      DELIMITER,
      ...lines.map((line) => packet(`${line}\n`)),
      FLUSH,
    ]);
    const headers = { ...headersFor("git-upload-pack"), "Git-Protocol": "version=2" };
    const answer = await this.#read({ method: "POST", url: `${base}/git-upload-pack`, headers, body, signal });
    if (answer.status !== 200) this.#forget();
    if (answer.status !== 200) throw failureOf(answer, this.place, this.#ambient.clock.now());
    return answer.body;
  }

  async #discover(signal: AbortSignal): Promise<Discovered> {
    if (this.#discovered !== undefined) return this.#discovered;
    const suffix = "/info/refs?service=git-upload-pack";
    const headers = { "User-Agent": USER_AGENT, Accept: "*/*", "Git-Protocol": "version=2" };
    let url = this.#url + suffix;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#read({ method: "GET", url, headers, signal });
      const next =
        answer.status >= 300 && answer.status < 400 ? sameServer(url, answer.headers["location"]) : undefined;
      if (next?.endsWith(suffix) === true && redirects < MAX_REDIRECTS) {
        url = next;
        continue;
      }
      if (answer.status !== 200) throw failureOf(answer, this.place, this.#ambient.clock.now());
      const capabilities = readCapabilities(answer.body, this.place);
      this.#discovered = { base: url.slice(0, -suffix.length), capabilities };
      return this.#discovered;
    }
  }

  /** Reading changes nothing, so a kept connection that the server had closed meanwhile is worth one more try. */
  async #read(request: HttpRequest): Promise<HttpAnswer> {
    const wire = newWire();
    try {
      return await this.#transport.send(request, wire);
    } catch (error) {
      if (!wire.reused || !wire.broken || !isGitspanError(error, "git-unreachable")) throw error;
      return this.#transport.send(request);
    }
  }

  /** A broken conversation may mean that another server answers now: ask again what it can do. */
  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isGitspanError(error, "git-protocol")) this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#discovered = undefined;
  }
}

function headersFor(service: "git-upload-pack" | "git-receive-pack"): Record<string, string> {
  return {
    "User-Agent": USER_AGENT,
    "Content-Type": `application/x-${service}-request`,
    Accept: `application/x-${service}-result`,
  };
}

/** Where a redirect leads if that is on the same server: credentials go nowhere else. */
function sameServer(from: string, location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  return target.origin === new URL(from).origin ? target.origin + target.pathname + target.search : undefined;
}
