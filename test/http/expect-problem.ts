import type { InjectOptions } from "fastify";
import { expect } from "vitest";
import type { TestApp } from "./requests.ts";

/** A request that has to be refused, and how. */
export interface BadRequest {
  name: string;
  request: InjectOptions;
  status: number;
  code: string;
  /** A part of the detail. */
  detail: string;
  /** The field that is named, where one is. */
  path?: string;
}

/** Sends the request and checks the whole problem: RFC 9457 members, status, headers and words. */
export async function expectProblem(test: TestApp, { request, status, code, detail, path }: BadRequest): Promise<void> {
  const response = await test.app.inject(request);
  const problem = response.json<Record<string, unknown> & { errors?: { path: string; message: string }[] }>();
  expect(problem).toMatchObject({ status, code, type: `https://gitspan.dev/problems/${code}` });
  expect(String(problem["detail"])).toContain(detail);
  expect(response.statusCode).toBe(status);
  expect(response.headers["content-type"]).toContain("application/problem+json");
  expect(response.headers["x-request-id"]).toBe(problem["requestId"]);
  expect(response.headers["cache-control"]).toBe("no-store");
  if (path !== undefined) expect(problem.errors?.map((error) => error.path)).toContain(path);
  if (status === 401) expect(response.headers["www-authenticate"]).toMatch(/^Bearer/);
  if (status === 405) expect(response.headers["allow"]).toMatch(/POST|GET/);
  expect(response.body).not.toContain("hunter2");
}
