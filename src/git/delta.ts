import { GitspanError } from "../model/errors.ts";

/**
 * Applies a delta of Git's packs (gitformat-pack, "deltified representation"): copies out of the base and inserts.
 * @throws GitspanError git-protocol when it does not fit the base or the sizes it names
 */
export function applyDelta(base: Buffer, delta: Buffer, maxBytes: number): Buffer {
  const cursor = { at: 0 };
  const byte = (): number => {
    const value = delta[cursor.at++];
    if (value === undefined) throw damaged("it breaks off");
    return value;
  };
  const size = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const next = byte();
      value += (next & 0x7f) * factor;
      if ((next & 0x80) === 0) return value;
      factor *= 128;
    }
  };
  if (size() !== base.length) throw damaged("it is for another base");
  const length = size();
  if (length > maxBytes) throw tooLarge(length, maxBytes);
  const result = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (cursor.at < delta.length) {
    const command = byte();
    if (command === 0) throw damaged("it uses a reserved command");
    if ((command & 0x80) === 0) {
      if (cursor.at + command > delta.length || filled + command > length) throw damaged("it inserts too much");
      delta.copy(result, filled, cursor.at, cursor.at + command);
      cursor.at += command;
      filled += command;
      continue;
    }
    let offset = 0;
    let count = 0;
    for (let i = 0; i < 4; i++) if ((command & (1 << i)) !== 0) offset += byte() * 2 ** (8 * i);
    for (let i = 0; i < 3; i++) if ((command & (16 << i)) !== 0) count += byte() * 2 ** (8 * i);
    // A length of zero means 64 KiB: the longest copy that three length bytes were not spent on.
    if (count === 0) count = 0x10000;
    if (offset + count > base.length || filled + count > length) throw damaged("it copies from outside its base");
    base.copy(result, filled, offset, offset + count);
    filled += count;
  }
  if (filled !== length) throw damaged("its result has another size than it says");
  return result;
}

export function tooLarge(bytes: number, limit: number): GitspanError {
  return new GitspanError("git-too-large", `an object of ${bytes} bytes is larger than the limit of ${limit} bytes`, {
    hint: "keep large files out of the paths that gitspan reads",
  });
}

function damaged(detail: string): GitspanError {
  return new GitspanError("git-protocol", `a delta in the server's pack is damaged: ${detail}`);
}
