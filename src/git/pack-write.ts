import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { ObjectType } from "./object.ts";

const TYPE_NUMBERS: Record<ObjectType, number> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** A pack (gitformat-pack, version 2) of whole objects. */
export function writePack(objects: readonly { type: ObjectType; data: Buffer }[]): Buffer {
  const header = Buffer.alloc(12);
  header.write("PACK", "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const body: Buffer[] = [header];
  for (const { type, data } of objects) body.push(entryHeader(TYPE_NUMBERS[type], data.length), deflateSync(data));
  const hash = createHash("sha1");
  for (const part of body) hash.update(part);
  return Buffer.concat([...body, hash.digest()]);
}

function entryHeader(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)];
  let rest = Math.floor(size / 16);
  while (rest > 0) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from(bytes);
}
