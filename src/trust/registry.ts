import { createHash } from "node:crypto";
import type { Clock } from "../model/ambient.ts";
import { GitspanError, isGitspanError } from "../model/errors.ts";
import type { Digest } from "../model/image.ts";
import { BlobCache } from "./blob-cache.ts";
import type { RegistryCredentials } from "./credentials.ts";
import { defaultAddress, wellKnownTokenHosts } from "./docker-hub.ts";
import { placeOf, type RegistryAnswer, RegistryHttp, retryAfterOf } from "./registry-http.ts";
import { RegistryLogin } from "./registry-login.ts";

export interface RegistryOptions {
  /** As images name it: `registry.example.com:5000`. */
  host: string;
  /** `https://...`, or `http://...` where it is said so; absent: the host by https. */
  address?: string;
  /** Asked first for what is named by its digest, without credentials: they may be behind, but cannot lie. */
  mirrors: readonly string[];
  tokenHosts: readonly string[];
  credentials?: () => Promise<RegistryCredentials | undefined>;
  /** Certificates (PEM) to trust beside the usual ones. */
  ca?: string;
}

/** What became of one request, for the metric. */
export type RequestResult = "found" | "absent" | "limited" | "refused" | "failed";

export interface RegistryDeps {
  clock: Clock;
  counted: (result: RequestResult) => void;
}

export interface Content {
  digest: Digest;
  bytes: Buffer;
}

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** What registries themselves take (distribution/distribution, registry/handlers/manifests.go). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_HOPS = 3;
const RETRIES = 2;
/** A registry that wants more patience is left alone until the delivery is looked at again. */
const LONGEST_PATIENCE_MS = 5_000;

interface Place {
  base: string;
  login: RegistryLogin | undefined;
}

/** One registry, read only. What it says is believed only where its bytes hash to the digest that was asked for. */
export class Registry {
  readonly #deps: RegistryDeps;
  readonly #options: RegistryOptions;
  readonly #http: RegistryHttp;
  readonly #own: Place;
  readonly #blobs = new BlobCache();

  constructor(deps: RegistryDeps, options: RegistryOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#http = new RegistryHttp(deps.clock, options.ca);
    const { host, address = defaultAddress(host), credentials = async () => undefined } = options;
    const tokenHosts = [...options.tokenHosts, ...wellKnownTokenHosts(host)];
    const login = new RegistryLogin(
      { http: this.#http, clock: deps.clock },
      { host, address, tokenHosts, credentials },
    );
    this.#own = { base: address, login };
  }

  close(): void {
    this.#http.close();
  }

  /** The manifest that a tag names now, with the digest of its bytes; undefined when there is no such tag. */
  async manifestOf(path: string, tag: string, signal: AbortSignal): Promise<Content | undefined> {
    const answer = await this.#get(this.#own, { path, url: `manifests/${tag}`, maxBytes: MAX_MANIFEST_BYTES }, signal);
    if (answer === undefined) return undefined;
    const digest = digestOf(answer.body);
    const said = answer.headers["docker-content-digest"];
    if (said !== undefined && said !== digest) {
      const message = `${this.#options.host} says that ${path}:${tag} is ${said.slice(0, 80)}, its bytes are ${digest}`;
      throw new GitspanError("registry-protocol", message, {
        hint: "Do not trust this registry, or what is before it.",
      });
    }
    return { digest, bytes: answer.body };
  }

  /**
   * What a digest names: from a mirror if one has it, else from the registry. Undefined when it is not there; throws
   * `registry-protocol` when the bytes are others.
   */
  async content(
    path: string,
    wanted: { kind: "manifests" | "blobs"; digest: Digest; maxBytes: number },
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const { kind, digest, maxBytes } = wanted;
    const known = kind === "blobs" ? this.#blobs.get(digest) : undefined;
    if (known !== undefined) return known;
    const bytes = await this.#fetched(path, { kind, digest, maxBytes }, signal);
    if (bytes !== undefined && kind === "blobs") this.#blobs.add(digest, bytes);
    return bytes;
  }

  async #fetched(
    path: string,
    { kind, digest, maxBytes }: { kind: string; digest: Digest; maxBytes: number },
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const request = { path, url: `${kind}/${digest}`, maxBytes };
    for (const base of this.#options.mirrors) {
      try {
        const answer = await this.#get({ base, login: undefined }, request, signal);
        if (answer !== undefined && digestOf(answer.body) === digest) return answer.body;
      } catch (error) {
        signal.throwIfAborted();
        if (!isGitspanError(error)) throw error;
      }
    }
    const answer = await this.#get(this.#own, request, signal);
    if (answer === undefined || digestOf(answer.body) === digest) return answer?.body;
    throw new GitspanError("registry-protocol", `${this.#options.host} gives other bytes than ${digest} of ${path}`, {
      hint: "Do not trust this registry, or what is before it.",
    });
  }

  /** The index of what refers to a digest (OCI distribution 1.1); undefined where the registry has no such thing. */
  async referrers(path: string, digest: Digest, signal: AbortSignal): Promise<Buffer | undefined> {
    const request = { path, url: `referrers/${digest}`, maxBytes: MAX_MANIFEST_BYTES };
    return (await this.#get(this.#own, request, signal))?.body;
  }

  /** Undefined for 404; every other failure is an error. */
  async #get(
    place: Place,
    request: { path: string; url: string; maxBytes: number },
    signal: AbortSignal,
  ): Promise<RegistryAnswer | undefined> {
    const url = `${place.base}/v2/${request.path}/${request.url}`;
    for (let tries = 0; ; tries++) {
      const answer = await this.#authorized(place, { ...request, url }, signal).catch((error: unknown) => {
        if (!signal.aborted) this.#deps.counted(isGitspanError(error, "registry-auth") ? "refused" : "failed");
        throw error;
      });
      const { status } = answer;
      this.#deps.counted(resultOf(status));
      if (status === 200) return answer;
      if (status === 404) return undefined;
      const patience = retryAfterOf(answer, this.#deps.clock.now());
      const isLimited = status === 429 && tries < RETRIES && (patience ?? LONGEST_PATIENCE_MS) < LONGEST_PATIENCE_MS;
      if (!isLimited) throw failureOf(url, status, patience);
      await this.#deps.clock.sleep(patience ?? 0, signal);
    }
  }

  async #authorized(
    { login }: Place,
    { path, url, maxBytes }: { path: string; url: string; maxBytes: number },
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    const send = (authorization: string | undefined) =>
      this.#http.send({
        url,
        headers: { Accept: MANIFEST_TYPES, ...(authorization === undefined ? {} : { Authorization: authorization }) },
        maxBytes,
        signal,
      });
    const first = await send(await login?.known(path));
    const answer = first.status === 401 && login ? await send(await login.answer(first, path, signal)) : first;
    return await this.#followed(url, answer, maxBytes, signal);
  }

  /** Registries keep blobs elsewhere and send us there: without credentials, and never in the clear. */
  async #followed(url: string, first: RegistryAnswer, maxBytes: number, signal: AbortSignal): Promise<RegistryAnswer> {
    let [from, answer] = [url, first];
    for (let hops = 0; answer.status >= 300 && answer.status < 400; hops++) {
      const to = URL.parse(answer.headers["location"] ?? "", from);
      const isBlob = new URL(url).pathname.includes("/blobs/");
      if (to?.protocol !== "https:" || to.username !== "" || hops >= MAX_HOPS || !isBlob) {
        throw new GitspanError("registry-protocol", `${placeOf(url)} leads to ${placeOf(to?.href ?? "")}`, {
          hint: "Only blobs may lie elsewhere, and only behind https: configure the registry's own address.",
        });
      }
      from = to.href;
      answer = await this.#http.send({ url: from, maxBytes, signal });
    }
    return answer;
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function resultOf(status: number): RequestResult {
  if (status === 200) return "found";
  if (status === 404) return "absent";
  if (status === 429) return "limited";
  return status === 401 || status === 403 ? "refused" : "failed";
}

function failureOf(url: string, status: number, retryAfterMs: number | undefined): GitspanError {
  const message = `${placeOf(url)} answers ${status}`;
  if (status === 401 || status === 403) {
    return new GitspanError("registry-auth", message, {
      hint: "Give the registry credentials that may pull from this repository, in `auth`.",
    });
  }
  // 501: what the registry does not have, it will not have later either.
  const transient = status === 408 || status === 429 || (status >= 500 && status !== 501);
  return new GitspanError(transient ? "registry-unreachable" : "registry-protocol", message, {
    transient,
    retryAfterMs,
  });
}
