import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { GitspanError } from "../model/errors.ts";
import { duplicateKey } from "./duplicate-keys.ts";
import { InvalidRequest } from "./problem.ts";

/**
 * Bodies are JSON in UTF-8 and nothing else. `secure-json-parse` below the framework's parser refuses `__proto__` and
 * `constructor.prototype` keys; keys that come twice are refused here. The hash is of the bytes as they came, so that a
 * repeat is the same request exactly.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
      done(new GitspanError("unsupported-media-type", "the body must not be compressed"), undefined);
      return;
    }
    request.bodyHash = createHash("sha256").update(body).digest("hex");
    const text = decode(body);
    if (text === undefined) {
      done(new GitspanError("bad-request", "the body is not valid UTF-8"), undefined);
      return;
    }
    void parse(request, text, (error, value: unknown) => {
      const twice = error === null ? duplicateKey(text) : undefined;
      if (twice === undefined) done(error, value);
      else done(new InvalidRequest("the body", [{ path: twice, message: "is there twice" }]), undefined);
    });
  });
}

function decode(body: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
