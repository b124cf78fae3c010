import { readFile } from "node:fs/promises";
import { Agent as HttpsAgent } from "node:https";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import type { Agents } from "../kubernetes/guarded-request.ts";
import { isSuccess, send } from "../kubernetes/http.ts";
import { withTimeLimit } from "../kubernetes/time-limit.ts";
import { isRecord, list, record, text, type Untrusted } from "../kubernetes/untrusted.ts";
import type { Clock } from "../model/ambient.ts";
import { GitspanError, messageOf } from "../model/errors.ts";

export interface KeySource {
  /** As the tokens say it. */
  issuer: string;
  /** Where the keys are; neither: where the issuer's discovery document says. */
  jwksUri: string | undefined;
  jwksFile: string | undefined;
  caFile: string | undefined;
}

/** Keys are asked for again after so long; until then a key that was withdrawn is still taken. */
const FRESH_MS = 10 * 60_000;
/** While the issuer cannot be reached, known keys are good for so long. */
const STALE_MS = 60 * 60_000;
/** Nobody can make us ask more often, whatever keys their tokens name. */
const COOLDOWN_MS = 30_000;
const ANSWER_MS = 10_000;
const LARGEST_ANSWER = 512 * 1024;
const MAX_KEYS = 100;
const TROUBLE = { unreachable: "issuer-unavailable", protocol: "issuer-unavailable" } as const;

/** The public keys of one issuer. */
export class IssuerKeys {
  readonly #clock: Clock;
  readonly #source: KeySource;
  readonly #agents: Agents;
  #known: { keys: JWTVerifyGetKey; loadedAt: number } | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure: GitspanError | undefined;
  #asking: Promise<void> | undefined;

  private constructor(clock: Clock, source: KeySource, agents: Agents) {
    this.#clock = clock;
    this.#source = source;
    this.#agents = agents;
  }

  /** Reads files now: rejects with `config-invalid` when one is not usable. Nothing is asked for over the network yet. */
  static async open(clock: Clock, source: KeySource): Promise<IssuerKeys> {
    const { caFile, jwksFile } = source;
    const keys = new IssuerKeys(clock, source, caFile === undefined ? {} : { https: await agentWith(caFile) });
    if (jwksFile !== undefined) await keys.#reload();
    if (keys.#failure !== undefined) {
      throw new GitspanError("config-invalid", keys.#failure.message, { hint: "Check oidc.<name>.jwksFile." });
    }
    return keys;
  }

  /** The keys as they are known now. Rejects with the transient `issuer-unavailable` when there are none that are young enough. */
  async current(): Promise<JWTVerifyGetKey> {
    const age = this.#clock.now() - (this.#known?.loadedAt ?? Number.NEGATIVE_INFINITY);
    if (age > FRESH_MS) await this.#reload();
    return this.#usable();
  }

  /** Asked for once more, for a token of a key that is not among them; undefined when that was done just now. */
  async newer(): Promise<JWTVerifyGetKey | undefined> {
    const before = this.#known;
    await this.#reload();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#known === before ? undefined : this.#known?.keys;
  }

  #usable(): JWTVerifyGetKey {
    const known = this.#known;
    if (known !== undefined && this.#clock.now() - known.loadedAt <= STALE_MS) return known.keys;
    throw this.#failure ?? unavailable(`the keys of ${this.#source.issuer} are not known`);
  }

  /** Never rejects; many who ask at the same time ask once. */
  async #reload(): Promise<void> {
    if (this.#asking === undefined) {
      if (this.#clock.now() - this.#askedAt < COOLDOWN_MS) return;
      this.#askedAt = this.#clock.now();
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
  }

  async #ask(): Promise<void> {
    try {
      // Loaded when it is needed: many have no other CI.
      const { createLocalJWKSet } = await import("jose");
      const keys = createLocalJWKSet(keySetOf(await this.#read(), this.#source.issuer));
      this.#known = { keys, loadedAt: this.#clock.now() };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error instanceof GitspanError ? error : unavailable(messageOf(error));
    }
  }

  async #read(): Promise<Untrusted> {
    const { issuer, jwksUri, jwksFile } = this.#source;
    if (jwksFile !== undefined) return await jsonFile(jwksFile);
    return await this.#get(jwksUri ?? (await this.#discover(issuer)));
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  async #discover(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
    const document = await this.#get(url);
    if (document["issuer"] !== issuer) throw unavailable(`${url} is the document of another issuer`);
    const jwksUri = text(document["jwks_uri"], 2_048);
    // Whoever answers for the issuer must not send us to any other address, least of all inside our own network.
    if (!URL.canParse(jwksUri) || new URL(jwksUri).origin !== new URL(issuer).origin) {
      throw unavailable(
        `${url} names keys that are not at the issuer's own address`,
        "Name them in oidc.<name>.jwksUri.",
      );
    }
    return jwksUri;
  }

  async #get(url: string): Promise<Untrusted> {
    const { signal } = new AbortController();
    const limit = { ms: ANSWER_MS, message: `${url} did not answer in time`, signal, trouble: TROUBLE };
    const form = { responseType: "json", largest: LARGEST_ANSWER } as const;
    const { status, data } = await withTimeLimit(this.#clock, limit, async (limited) =>
      send<unknown>(this.#agents, { url, headers: { accept: "application/json" }, signal: limited }, form),
    ).catch((error: unknown) => {
      throw unavailable(`${url} cannot be reached: ${messageOf(error)}`);
    });
    if (isSuccess({ status }) && isRecord(data)) return data;
    throw unavailable(`${url} answered ${status}${isSuccess({ status }) ? ", but no JSON object" : ""}`);
  }
}

/** Public keys alone: one that is shared could sign as well as check. */
function keySetOf(document: Untrusted, issuer: string): JSONWebKeySet {
  const all = list(document["keys"]).map(record);
  const keys = all
    .filter(({ kty }) => typeof kty === "string" && kty !== "oct")
    .map((key) => ({ ...key, kty: text(key["kty"]) }));
  if (keys.length > 0 && keys.length <= MAX_KEYS) return { keys };
  throw unavailable(`the key set of ${issuer} has ${keys.length} public keys`);
}

async function jsonFile(file: string): Promise<Untrusted> {
  try {
    return record(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    throw unavailable(
      `the key set ${file} cannot be read: ${error instanceof SyntaxError ? "no JSON" : messageOf(error)}`,
    );
  }
}

async function agentWith(caFile: string): Promise<HttpsAgent> {
  const ca = await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new GitspanError("config-invalid", `cannot read the certificate authority ${caFile}`, {
      hint: "Check oidc.<name>.caFile.",
      cause,
    });
  });
  return new HttpsAgent({ ca, keepAlive: true });
}

function unavailable(
  message: string,
  hint = "Check the issuer's address, the network and oidc.<name>.caFile.",
): GitspanError {
  return new GitspanError("issuer-unavailable", message, { hint, transient: true, retryAfterMs: COOLDOWN_MS });
}
