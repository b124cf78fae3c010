import type { Readable } from "node:stream";
import { GitspanError } from "../model/errors.ts";

/** The whole body as it came. Throws `payload-too-large` beyond `limit` bytes, and `bad-request` when it breaks off. */
export async function readBody(payload: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // A request that is destroyed takes its connection with it, and the answer too.
    for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) continue;
      size += chunk.length;
      if (size > limit) throw new GitspanError("payload-too-large", "the body is too large");
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GitspanError) throw error;
    throw new GitspanError("bad-request", "the request could not be read to its end", { cause: error });
  }
  return Buffer.concat(chunks);
}
