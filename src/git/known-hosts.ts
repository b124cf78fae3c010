import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { SSH_PORT } from "./location.ts";

/** What a known_hosts file says of one host. */
export interface PinnedHost {
  /** Keys as they go over the wire. */
  trusted: Buffer[];
  revoked: Buffer[];
}

/**
 * The keys pinned for a host in a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): names, patterns, hashed
 * names and `@revoked`. A port other than 22 needs a line of its own, `[host]:port`. Certificate authorities are not
 * used, and lines that cannot be read pin nothing.
 */
export function pinnedHost(text: string, host: string, port: number): PinnedHost {
  const name = port === SSH_PORT ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const pinned: PinnedHost = { trusted: [], revoked: [] };
  for (const line of text.split("\n")) {
    const words = line.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith("@") === true ? words.shift() : undefined;
    const [hosts = "", type = "", key = ""] = words;
    const blob = Buffer.from(key, "base64");
    if (hosts.startsWith("#") || type === "" || keyTypeOf(blob) !== type || !matches(hosts, name)) continue;
    if (marker === undefined) pinned.trusted.push(blob);
    if (marker === "@revoked") pinned.revoked.push(blob);
  }
  return pinned;
}

/** The type that a key names in its first field; "" when it is no key. */
export function keyTypeOf(blob: Buffer): string {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return length > 0 && length <= 64 && blob.length > 4 + length ? blob.toString("latin1", 4, 4 + length) : "";
}

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith("|1|")) return isHashOf(hosts, name);
  let found = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (globOf(pattern.slice(1)).test(name)) return false;
    } else if (globOf(pattern).test(name)) found = true;
  }
  return found;
}

function isHashOf(hashed: string, name: string): boolean {
  const [, , salt = "", hash = ""] = hashed.split("|");
  const expected = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `*` and `?` are wild; brackets are not, as they hold addresses with ports. */
function globOf(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
