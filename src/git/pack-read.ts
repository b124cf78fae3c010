import { inflateSync } from "node:zlib";
import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { applyDelta, tooLarge } from "./delta.ts";
import { type GitObject, hashObject, type ObjectType } from "./object.ts";

export interface PackLimits {
  /** Of one object, inflated. */
  objectBytes: number;
  /** Of all objects of the pack together, inflated: a small pack can unfold into a very large one. */
  totalBytes: number;
}

const TYPES: Record<number, ObjectType | undefined> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const OFS_DELTA = 6;
const REF_DELTA = 7;

interface RawEntry {
  offset: number;
  data: Buffer;
  deflated: Buffer;
  type?: ObjectType;
  /** Of a delta: where its base begins in this pack, or the base's id. */
  baseOffset?: number;
  baseOid?: Oid;
}

export interface Unpacked {
  oid: Oid;
  object: GitObject;
  /** The object as it lies deflated in the pack; undefined for one that lies there as a delta. */
  deflated: Buffer | undefined;
}

/** The objects of a pack by id; see `unpack`. */
export function readPack(
  pack: Buffer,
  limits: PackLimits,
  known: (oid: Oid) => GitObject | undefined,
): Map<Oid, GitObject> {
  return new Map(unpack(pack, limits, known).map(({ oid, object }) => [oid, object]));
}

/**
 * All objects of a pack (gitformat-pack, version 2) with the ids that their contents hash to. Deltas may rest on each
 * other in any order, and on objects that `known` gives (thin packs).
 * @throws GitspanError git-protocol for anything damaged, git-too-large beyond the limits
 */
export function unpack(pack: Buffer, limits: PackLimits, known: (oid: Oid) => GitObject | undefined): Unpacked[] {
  const entries = rawEntries(pack, limits);
  const byOffset = new Map<number, Unpacked>();
  const byOid = new Map<Oid, GitObject>();
  let total = entries.reduce((sum, entry) => sum + entry.data.length, 0);
  const add = (entry: RawEntry, object: GitObject): void => {
    const oid = hashObject(object.type, object.data);
    const deflated = entry.type === undefined ? undefined : entry.deflated;
    byOffset.set(entry.offset, { oid, object, deflated });
    byOid.set(oid, object);
  };

  let waiting: RawEntry[] = [];
  for (const entry of entries) {
    if (entry.type === undefined) waiting.push(entry);
    else add(entry, { type: entry.type, data: entry.data });
  }
  while (waiting.length > 0) {
    const still: RawEntry[] = [];
    for (const entry of waiting) {
      const base =
        entry.baseOid === undefined
          ? byOffset.get(entry.baseOffset ?? -1)?.object
          : (byOid.get(entry.baseOid) ?? known(entry.baseOid));
      if (base === undefined) {
        still.push(entry);
        continue;
      }
      const data = applyDelta(base.data, entry.data, limits.objectBytes);
      total += data.length;
      if (total > limits.totalBytes) throw tooLarge(total, limits.totalBytes);
      add(entry, { type: base.type, data });
    }
    if (still.length === waiting.length) throw damaged("a delta's base is missing");
    waiting = still;
  }
  return [...byOffset.values()];
}

function rawEntries(pack: Buffer, limits: PackLimits): RawEntry[] {
  if (pack.length < 32 || pack.toString("latin1", 0, 4) !== "PACK") throw damaged("it has no header");
  const version = pack.readUInt32BE(4);
  if (version !== 2) throw damaged(`its version is ${version}`);
  const count = pack.readUInt32BE(8);
  const entries: RawEntry[] = [];
  let offset = 12;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const { entry, end } = readEntry(pack, offset, limits);
    total += entry.data.length;
    if (total > limits.totalBytes) throw tooLarge(total, limits.totalBytes);
    entries.push(entry);
    offset = end;
  }
  return entries;
}

function readEntry(pack: Buffer, offset: number, limits: PackLimits): { entry: RawEntry; end: number } {
  let at = offset;
  const byte = (): number => {
    const value = pack[at++];
    if (value === undefined) throw damaged("it breaks off");
    return value;
  };
  let next = byte();
  const kind = (next >> 4) & 7;
  let size = next & 15;
  for (let factor = 16; (next & 0x80) !== 0; factor *= 128) {
    next = byte();
    size += (next & 0x7f) * factor;
  }
  if (size > limits.objectBytes) throw tooLarge(size, limits.objectBytes);
  const reference: Pick<RawEntry, "type" | "baseOffset" | "baseOid"> = {};
  if (kind === OFS_DELTA) {
    next = byte();
    let back = next & 0x7f;
    while ((next & 0x80) !== 0) {
      next = byte();
      back = (back + 1) * 128 + (next & 0x7f);
    }
    reference.baseOffset = offset - back;
  } else if (kind === REF_DELTA) {
    reference.baseOid = pack.toString("hex", at, at + 20);
    at += 20;
  } else {
    const type = TYPES[kind];
    if (type === undefined) throw damaged(`an object has the unknown type ${kind}`);
    reference.type = type;
  }
  const { data, consumed } = inflate(pack.subarray(at), size);
  const end = at + consumed;
  return { entry: { offset, data, deflated: pack.subarray(at, end), ...reference }, end };
}

/** Inflates one zlib stream that is followed by other bytes; what comes out has to be `size` bytes long. */
function inflate(bytes: Buffer, size: number): { data: Buffer; consumed: number } {
  let result: unknown;
  try {
    // The output buffer is made as large as the object: the default of 16 KiB would stay in memory with every small one.
    result = inflateSync(bytes, { info: true, chunkSize: Math.max(64, size + 1), maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw damaged("an object does not inflate", cause);
  }
  if (!hasEngine(result) || result.buffer.length !== size) throw damaged("an object has another size than it says");
  return { data: result.buffer, consumed: result.engine.bytesWritten };
}

/** What zlib's functions give with `info: true`, which their types leave out. */
function hasEngine(value: unknown): value is { buffer: Buffer; engine: { bytesWritten: number } } {
  return typeof value === "object" && value !== null && "engine" in value && "buffer" in value;
}

function damaged(detail: string, cause?: unknown): GitspanError {
  return new GitspanError("git-protocol", `the server's pack is damaged: ${detail}`, { cause });
}
