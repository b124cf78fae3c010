import { z } from "zod";
import type { Clock } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { parseChallenge } from "./challenge.ts";
import type { RegistryCredentials } from "./credentials.ts";
import { placeOf, type RegistryAnswer, type RegistryHttp } from "./registry-http.ts";

export interface LoginOptions {
  /** As images name it. */
  host: string;
  address: string;
  /** Hosts beside the registry's own that may be asked for tokens. */
  tokenHosts: readonly string[];
  /** Asked whenever they are needed: they may change. */
  credentials: () => Promise<RegistryCredentials | undefined>;
}

const MAX_TOKEN_ANSWER = 256 * 1024;
/** Of a token whose life is not told (distribution/distribution, docs/spec/auth/token.md). */
const DEFAULT_LIFE_S = 60;
const LONGEST_LIFE_S = 3_600;
/** No request begins with a token that ends on its way. */
const SPARE_MS = 10_000;

const tokenAnswer = z.object({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().positive().optional(),
});

/** The `Authorization` that a registry wants: found out by its first refusal, and kept as long as it lasts. */
export class RegistryLogin {
  readonly #http: RegistryHttp;
  readonly #clock: Clock;
  readonly #options: LoginOptions;
  #isBasic = false;
  readonly #tokens = new Map<string, { value: string; until: number }>();

  constructor(deps: { http: RegistryHttp; clock: Clock }, options: LoginOptions) {
    this.#http = deps.http;
    this.#clock = deps.clock;
    this.#options = options;
  }

  /** What to send with a request for this repository, as far as that is known. */
  async known(path: string): Promise<string | undefined> {
    if (this.#isBasic) return basicOf(await this.#options.credentials());
    const token = this.#tokens.get(path);
    return token !== undefined && token.until > this.#clock.now() ? `Bearer ${token.value}` : undefined;
  }

  /**
   * What to send instead, after a 401. Throws `registry-auth` when there is nothing that could be sent, and
   * `registry-protocol` when the registry sends us to a host that is not allowed to see our credentials.
   */
  async answer(refusal: RegistryAnswer, path: string, signal: AbortSignal): Promise<string> {
    this.#tokens.delete(path);
    const challenge = parseChallenge(refusal.headers["www-authenticate"]);
    const credentials = await this.#options.credentials();
    this.#isBasic = challenge?.scheme === "basic";
    if (challenge?.scheme === "bearer") return await this.#token(challenge, credentials, path, signal);
    const basic = basicOf(credentials);
    if (challenge === undefined || basic === undefined) throw this.#refused("wants a login that is not configured");
    return basic;
  }

  async #token(
    { realm, service }: { realm: string; service: string | undefined },
    credentials: RegistryCredentials | undefined,
    path: string,
    signal: AbortSignal,
  ): Promise<string> {
    const url = this.#allowedRealm(realm);
    // Never more than reading this one repository, whatever the challenge says.
    const wanted = { ...(service === undefined ? {} : { service }), scope: `repository:${path}:pull` };
    const common = { maxBytes: MAX_TOKEN_ANSWER, signal };
    let answer: RegistryAnswer;
    if (credentials?.kind === "identity") {
      const form = { ...wanted, grant_type: "refresh_token", refresh_token: credentials.token, client_id: "gitspan" };
      answer = await this.#http.send({ ...common, url: url.href, form });
    } else {
      for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
      const authorization = basicOf(credentials);
      answer = await this.#http.send({ ...common, url: url.href, headers: headersOf(authorization) });
    }
    if (answer.status >= 500 || answer.status === 429) {
      throw new GitspanError("registry-unreachable", `${placeOf(url.href)} answers ${answer.status}`, {
        transient: true,
      });
    }
    if (answer.status !== 200) throw this.#refused(`gets no token at ${placeOf(url.href)} (${answer.status})`);
    return this.#keep(answer, path);
  }

  #keep(answer: RegistryAnswer, path: string): string {
    const parsed = tokenAnswer.safeParse(jsonOf(answer.body));
    const value = parsed.data?.token ?? parsed.data?.access_token;
    if (value === undefined || /[^\x21-\x7e]/.test(value)) throw this.#refused("is given something else than a token");
    const seconds = Math.min(parsed.data?.expires_in ?? DEFAULT_LIFE_S, LONGEST_LIFE_S);
    if (this.#tokens.size > 1_000) this.#tokens.clear();
    this.#tokens.set(path, { value, until: this.#clock.now() + seconds * 1_000 - SPARE_MS });
    return `Bearer ${value}`;
  }

  /** A registry that is broken into must not be able to collect passwords, or to make us ask anybody in our network. */
  #allowedRealm(realm: string): URL {
    const { host, address, tokenHosts } = this.#options;
    const own = new URL(address);
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    const isKnown = url !== undefined && [own.host, ...tokenHosts].includes(url.host);
    const isSafe = url?.protocol === "https:" || (own.protocol === "http:" && url?.protocol === "http:");
    if (url !== undefined && isKnown && isSafe && url.username === "" && url.password === "") return url;
    throw new GitspanError("registry-protocol", `${host} wants tokens from ${placeOf(realm)}, which is not allowed`, {
      hint: "If that is right, name its host in `tokenHosts` of the registry; only https is asked, unless the registry is http.",
    });
  }

  #refused(why: string): GitspanError {
    return new GitspanError("registry-auth", `the registry ${this.#options.host} ${why}`, {
      hint: "Give the registry credentials that may pull, in `auth`.",
    });
  }
}

function headersOf(authorization: string | undefined): Record<string, string> {
  return authorization === undefined ? {} : { Authorization: authorization };
}

function basicOf(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials?.kind !== "basic") return undefined;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
