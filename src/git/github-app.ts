import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import type { Ambient } from "../model/ambient.ts";
import { GitspanError } from "../model/errors.ts";
import { failureOf } from "./http-failure.ts";
import { type Credentials, HttpTransport } from "./http-transport.ts";

export interface GithubAppOptions {
  appId: string;
  installationId: string;
  /** PEM, as GitHub gives it (PKCS#1) or as PKCS#8; asked for every new token. */
  privateKey: () => Promise<string>;
  /** Without a slash at the end. */
  apiUrl: string;
  ca?: string;
  proxy?: string;
}

interface InstallationToken {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** A token lasts an hour; another one is made while this much of it is left, so that none ends in the middle of a push. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** GitHub takes ten minutes at most; its clock may be behind ours (docs.github.com, "Generating a JSON Web Token"). */
const JWT_SECONDS = 9 * 60;
const CLOCK_SKEW_SECONDS = 60;
const TIMEOUTS = { connectMs: 10_000, firstByteMs: 30_000, totalMs: 60_000 };
const MAX_ANSWER_BYTES = 256 * 1024;

/** The token of a GitHub App's installation: made when it is needed, kept until shortly before it ends. */
export class GithubAppToken {
  readonly #ambient: Ambient;
  readonly #options: GithubAppOptions;
  readonly #transport: HttpTransport;
  #current: InstallationToken | undefined;
  #asking: Promise<InstallationToken> | undefined;

  constructor(ambient: Ambient, options: GithubAppOptions) {
    this.#ambient = ambient;
    this.#options = options;
    const { ca, proxy } = options;
    this.#transport = new HttpTransport(ambient, { ca, proxy, timeouts: TIMEOUTS, maxResponseBytes: MAX_ANSWER_BYTES });
  }

  /** @throws GitspanError git-auth for a key or an App that GitHub does not take, and those of the transport */
  async credentials(): Promise<Credentials> {
    const left = (this.#current?.expiresAt ?? 0) - this.#ambient.clock.now();
    if (this.#current === undefined || left < REFRESH_BEFORE_MS) {
      // Many requests that find it ended ask once.
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      this.#current = await this.#asking;
    }
    return { username: "x-access-token", password: this.#current.token };
  }

  /** The server does not take the token: it was revoked before its time. */
  refused(): void {
    this.#current = undefined;
  }

  close(): void {
    this.#transport.close();
  }

  async #ask(): Promise<InstallationToken> {
    const { apiUrl, installationId } = this.#options;
    const url = `${apiUrl}/app/installations/${encodeURIComponent(installationId)}/access_tokens`;
    const headers = {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${await this.#jwt()}`,
      "User-Agent": "gitspan",
      "X-GitHub-Api-Version": "2022-11-28",
    };
    // Asked for everybody who waits for it: the transport's own time limits end it.
    const { signal } = new AbortController();
    const answer = await this.#transport.send({ method: "POST", url, headers, signal });
    if (answer.status === 404) {
      throw new GitspanError("git-auth", `${apiUrl} knows no installation ${installationId} of this GitHub App`, {
        hint: "installationId stands at the end of the address of the installation's settings",
      });
    }
    if (answer.status !== 201) throw failureOf(answer, apiUrl, this.#ambient.clock.now());
    return tokenOf(answer.body.toString("utf8"), apiUrl);
  }

  async #jwt(): Promise<string> {
    const key = keyOf(await this.#options.privateKey());
    const now = Math.floor(this.#ambient.clock.now() / 1000);
    // Loaded when it is needed: most repositories are entered otherwise.
    const { SignJWT } = await import("jose");
    return new SignJWT()
      .setProtectedHeader({ alg: "RS256" })
      .setIssuer(this.#options.appId)
      .setIssuedAt(now - CLOCK_SKEW_SECONDS)
      .setExpirationTime(now + JWT_SECONDS)
      .sign(key);
  }
}

function keyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "rsa") return key;
  } catch {
    // Said below, without the library's words: they may quote the file.
  }
  throw new GitspanError("git-auth", "the GitHub App's private key is no RSA key in PEM form", {
    hint: "privateKeyFile takes the .pem file that GitHub made for the App",
  });
}

const installationToken = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });

function tokenOf(text: string, apiUrl: string): InstallationToken {
  try {
    const { token, expires_at: expires } = installationToken.parse(JSON.parse(text));
    return { token, expiresAt: Date.parse(expires) };
  } catch {
    // Without the cause: it may quote the answer.
    throw new GitspanError("git-protocol", `${apiUrl} gave no installation token`, {
      hint: "check that apiUrl is that of GitHub's API (https://HOST/api/v3 for GitHub Enterprise)",
    });
  }
}
