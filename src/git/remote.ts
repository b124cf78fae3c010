import type { Ambient } from "../model/ambient.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { refOf } from "./branch-name.ts";
import { type Abilities, readAbilities } from "./capabilities.ts";
import { type FetchAnswer, readFetchAnswer, readOldFetchAnswer } from "./fetch-answer.ts";
import { type FetchRequest, fetchArguments, oldFetchBody } from "./fetch-request.ts";
import { failureOf } from "./http-failure.ts";
import { isOid } from "./object.ts";
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from "./pkt-line.ts";
import { type HttpAnswer, type HttpRequest, newWire, placeOfUrl, type Transport, type Wire } from "./transport.ts";

/** Some servers look for a user agent of this form before they speak Git at all. */
const USER_AGENT = "git/gitspan";
const MAX_REDIRECTS = 3;
const VERSION_2 = { "Git-Protocol": "version=2" };

interface Discovered {
  /** The repository's URL, after redirects within its own server. */
  base: string;
  abilities: Abilities;
}

/** One repository on a server: the newest protocol it speaks for reading, the one old protocol there is for writing. */
export class Remote {
  readonly #ambient: Ambient;
  readonly #transport: Transport;
  readonly #url: string;
  /** The URL for messages. */
  readonly place: string;
  #discovered: Discovered | undefined;
  /** Full names of the branches that were asked for. */
  readonly #asked = new Set<string>();

  constructor(ambient: Ambient, transport: Transport, url: string) {
    this.#ambient = ambient;
    this.#transport = transport;
    this.#url = url;
    this.place = placeOfUrl(url);
  }

  /** @throws GitspanError of the transport, git-unsupported, git-protocol */
  async abilities(signal: AbortSignal): Promise<Abilities> {
    return (await this.#discover(signal)).abilities;
  }

  /**
   * The branch's commit, undefined when there is no such branch.
   * @throws GitspanError of the transport, git-unsupported, git-protocol
   */
  async branchTip(branch: string, signal: AbortSignal): Promise<Oid | undefined> {
    const ref = refOf(branch);
    this.#asked.add(ref);
    return (await this.#refs([ref], signal)).get(ref);
  }

  /** Where the branches stand now that were asked for so far. */
  async tips(signal: AbortSignal): Promise<Oid[]> {
    const refs = await this.#refs([...this.#asked], signal);
    return [...new Set([...this.#asked].flatMap((ref) => refs.get(ref) ?? []))];
  }

  /** @throws GitspanError of the transport, git-protocol; RefusedWant when a wanted object is not given out */
  async fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchAnswer> {
    const { base, abilities } = await this.#discover(signal);
    if (abilities.version === 2) {
      const body = await this.#command("fetch", fetchArguments(request, abilities), signal);
      return this.#guarded(() => readFetchAnswer(body));
    }
    const body = await this.#uploadPack(base, {}, oldFetchBody(request, abilities), signal);
    return this.#guarded(() => readOldFetchAnswer(body));
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

  async #refs(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Oid>> {
    const before = this.#discovered;
    const { abilities } = await this.#discover(signal);
    // The old protocols tell their refs only here: what was known before the question may have moved.
    if (abilities.version === 0)
      return before === undefined ? abilities.refs : (await this.#ask(signal)).abilities.refs;
    const prefixes = names.map((name) => `ref-prefix ${name}`);
    const body = await this.#command("ls-refs", prefixes, signal);
    return this.#guarded(() => {
      const refs = new Map<string, Oid>();
      for (const part of readPackets(body)) {
        if (part.kind !== "data") continue;
        const [oid = "", name = ""] = lineOf(part.data).split(" ");
        if (oid === "ERR") throw new GitspanError("git-protocol", `${this.place} says: ${lineOf(part.data).slice(4)}`);
        if (isOid(oid)) refs.set(name, oid);
      }
      return refs;
    });
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
    return this.#uploadPack(base, VERSION_2, body, signal);
  }

  async #uploadPack(base: string, version: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Buffer> {
    const headers = { ...headersFor("git-upload-pack"), ...version };
    const answer = await this.#read({ method: "POST", url: `${base}/git-upload-pack`, headers, body, signal });
    if (answer.status === 200) return answer.body;
    this.#forget();
    throw failureOf(answer, this.place, this.#ambient.clock.now());
  }

  async #discover(signal: AbortSignal): Promise<Discovered> {
    return this.#discovered ?? this.#ask(signal);
  }

  async #ask(signal: AbortSignal): Promise<Discovered> {
    const suffix = "/info/refs?service=git-upload-pack";
    const headers = { "User-Agent": USER_AGENT, Accept: "*/*", ...VERSION_2 };
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
      const abilities = readAbilities(answer.body, this.place);
      this.#discovered = { base: url.slice(0, -suffix.length), abilities };
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
