import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { createApp } from "../../src/http/app.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import { expectDocumented } from "./documented.ts";
import { FakePorts, TOKENS } from "./fake-ports.ts";

export const DIGEST = `sha256:${"d".repeat(64)}`;

/** A report that is right in every respect; tests break one thing. */
export function aReport(): Record<string, unknown> & {
  images: Record<string, unknown>[];
  source: Record<string, unknown>;
} {
  return {
    images: [{ repository: "registry.example.com/shop/checkout", tag: "1.4.2", digest: DIGEST }],
    source: { repository: "https://git.example.com/shop/checkout.git", commit: "c".repeat(40), ref: "refs/heads/main" },
    run: { kind: "PipelineRun", name: "checkout-7", uid: "run-1", namespace: "shop-ci" },
  };
}

export interface TestApp {
  ports: FakePorts;
  app: FastifyInstance;
  get(url: string, token?: string): Promise<LightMyRequestResponse>;
  post(body: unknown, options?: InjectOptions): Promise<LightMyRequestResponse>;
}

export function startApp(overrides: Partial<HttpDeps> = {}): TestApp {
  const ports = new FakePorts();
  const app = createApp(ports.deps(overrides));
  expectDocumented(app);
  return {
    ports,
    app,
    get: (url, token = TOKENS.ci) => app.inject({ url, headers: { authorization: `Bearer ${token}` } }),
    post: (body, options = {}) =>
      app.inject({
        method: "POST",
        url: "/v1/builds",
        payload: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        ...options,
        headers: { authorization: `Bearer ${TOKENS.ci}`, "content-type": "application/json", ...options.headers },
      }),
  };
}
