import type { Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { loopbackCertificate } from "../git/golden.ts";

/** What every request gets instead of its answer. */
export type IssuerTrouble = number | "silence" | "cut" | "page" | "huge" | "redirect";

export interface SigningKey {
  id: string;
  algorithm: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

/** Another CI: its discovery document, its keys, and tokens that it has signed; over HTTPS, as no other is taken. */
export class FakeIssuer {
  readonly requests: string[] = [];
  trouble: IssuerTrouble | undefined;
  /** What is published. */
  keys: SigningKey[] = [];
  /** Changes the discovery document. */
  discovery: Record<string, unknown> = {};
  readonly #server: Server;

  private constructor() {
    const { cert, key } = loopbackCertificate();
    this.#server = createTlsServer({ cert, key }, (request, response) => this.#answer(request.url ?? "", response));
  }

  static async start(): Promise<FakeIssuer> {
    const issuer = new FakeIssuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    issuer.keys = [await aKey("first")];
    return issuer;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A token as GitHub makes it; `key` is the first one that is published. */
  async sign(
    claims: Record<string, unknown> = {},
    key = this.keys[0],
    header: Record<string, unknown> = {},
  ): Promise<string> {
    if (key === undefined) throw new Error("the issuer has no key");
    const now = Math.floor(Date.now() / 1_000);
    const all = {
      iss: this.url,
      aud: "gitspan",
      sub: "repo:shop/checkout:ref:refs/heads/main",
      repository: "shop/checkout",
      ref: "refs/heads/main",
      sha: "c".repeat(40),
      iat: now,
      exp: now + 300,
      ...claims,
    };
    return await new SignJWT(all)
      .setProtectedHeader({ alg: key.algorithm, kid: key.id, ...header })
      .sign(key.privateKey, { crit: { "x-unknown": true } });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(path: string, response: ServerResponse): void {
    this.requests.push(path);
    const { trouble } = this;
    if (trouble === "silence") return;
    if (trouble === "cut") return void response.socket?.destroy();
    if (trouble === "page") return void response.end("<html>Log in</html>");
    if (trouble === "huge") return json(response, { keys: [], padding: "x".repeat(600 * 1024) });
    if (trouble === "redirect") return void response.writeHead(302, { location: "http://127.0.0.1:9/keys" }).end();
    if (trouble !== undefined) return void response.writeHead(trouble).end();
    if (path === "/.well-known/openid-configuration") {
      return json(response, { issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.discovery });
    }
    if (path === "/keys") return json(response, { keys: this.keys.map(({ jwk }) => jwk) });
    response.writeHead(404).end();
  }
}

export async function aKey(id: string, algorithm = "RS256"): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { id, algorithm, privateKey, jwk: { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: "sig" } };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
