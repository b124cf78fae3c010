/** Git's framing (gitprotocol-common, "pkt-line"): four hexadecimal digits of length, then the data. */
import { GitspanError } from "../model/errors.ts";

export type Packet = { kind: "data"; data: Buffer } | { kind: "flush" | "delimiter" | "end" };

/** A packet may hold 65520 bytes with its length; longer data has to be split by the caller. */
const MAX_DATA = 65_516;

export const FLUSH = Buffer.from("0000");
export const DELIMITER = Buffer.from("0001");

export function packet(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  if (bytes.length > MAX_DATA) throw new GitspanError("git-protocol", "a line is too long for Git's protocol");
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/**
 * Reads packets until the bytes end.
 * @throws GitspanError git-protocol when the bytes are not packets or break off inside one
 */
export function* readPackets(bytes: Buffer): Generator<Packet, void, undefined> {
  let offset = 0;
  while (offset < bytes.length) {
    const digits = bytes.toString("latin1", offset, offset + 4);
    const length = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
    if (length < 0 || length === 3) throw notGit(`"${printable(digits)}" is not a packet length`);
    if (length < 3) {
      yield { kind: length === 0 ? "flush" : length === 1 ? "delimiter" : "end" };
      offset += 4;
      continue;
    }
    const end = offset + length;
    if (end > bytes.length) throw notGit("the answer breaks off inside a packet");
    yield { kind: "data", data: bytes.subarray(offset + 4, end) };
    offset = end;
  }
}

/** The packet as a line of text, without the line feed that most senders add. */
export function lineOf(data: Buffer): string {
  return data.toString("utf8").replace(/\n$/, "");
}

function notGit(detail: string): GitspanError {
  return new GitspanError("git-protocol", `the server's answer is not Git's protocol: ${detail}`, {
    hint: "check that the URL is that of a Git repository and that no proxy changes the answers",
  });
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}
