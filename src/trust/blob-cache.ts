import type { Digest } from "../model/image.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** Bytes by their digest, which never change: the ones used longest ago go first. */
export class BlobCache {
  readonly #blobs = new Map<Digest, Buffer>();
  #bytes = 0;

  get(digest: Digest): Buffer | undefined {
    const bytes = this.#blobs.get(digest);
    if (bytes !== undefined) {
      this.#blobs.delete(digest);
      this.#blobs.set(digest, bytes);
    }
    return bytes;
  }

  add(digest: Digest, bytes: Buffer): void {
    if (this.#blobs.has(digest)) return;
    this.#blobs.set(digest, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#blobs) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#blobs.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
