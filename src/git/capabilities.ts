import { GitspanError } from "../model/errors.ts";
import type { Oid } from "../model/git.ts";
import { isOid } from "./object.ts";
import { lineOf, readPackets } from "./pkt-line.ts";

/** What a server can do for a reader. */
export interface Abilities {
  version: 0 | 2;
  /** Gives out objects by their ids, and without what hangs below them. */
  single: boolean;
  /** The words that a fetch may use. */
  features: ReadonlySet<string>;
  /** Full names of branches and tags; empty in version 2, where they are asked for. */
  refs: ReadonlyMap<string, Oid>;
}

/** What every fetch of version 2 knows without saying so (gitprotocol-v2, "fetch"). */
const ALWAYS_IN_V2 = ["ofs-delta", "thin-pack", "no-progress"];

/**
 * Reads the answer to `GET info/refs?service=git-upload-pack`, in version 2 of the protocol or in one of the old ones.
 * @throws GitspanError git-unsupported, with what is missing; git-protocol when the answer is not Git's at all
 */
export function readAbilities(body: Buffer, place: string): Abilities {
  const lines: string[] = [];
  for (const part of readPackets(body)) if (part.kind === "data") lines.push(lineOf(part.data));
  const announced = lines[0]?.startsWith("# service=") === true;
  if (announced) lines.shift();
  if (lines[0] === "version 2") return ofVersion2(lines.slice(1), place);
  // Version 1 is version 0 with a line that says so.
  if (lines[0] === "version 1") lines.shift();
  if (!announced && lines.length === 0) throw notGit(place);
  return ofVersion0(lines, place);
}

function ofVersion2(lines: readonly string[], place: string): Abilities {
  const capabilities = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals < 0) capabilities.set(line, "");
    else capabilities.set(line.slice(0, equals), line.slice(equals + 1));
  }
  assertSha1(capabilities.get("object-format"), place);
  if (!capabilities.has("ls-refs")) throw unsupported(place, "it does not list branches (ls-refs)");
  const features = new Set([...(capabilities.get("fetch") ?? "").split(" "), ...ALWAYS_IN_V2]);
  assertShallow(features, place);
  return { version: 2, single: features.has("filter"), features, refs: new Map() };
}

/** The first ref carries the capabilities behind a NUL (gitprotocol-pack, "Reference Discovery"). */
function ofVersion0(lines: readonly string[], place: string): Abilities {
  const refs = new Map<string, Oid>();
  let features = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (line.startsWith("ERR ")) throw new GitspanError("git-protocol", `${place} says: ${line.slice(4)}`);
    const [ref = "", words] = line.split("\0");
    if (index === 0 && words !== undefined) features = new Set(words.trim().split(" "));
    const format = [...features].find((word) => word.startsWith("object-format="));
    assertSha1(format?.slice("object-format=".length), place);
    const [oid = "", name = ""] = ref.split(" ");
    if (isOid(oid)) refs.set(name, oid);
    else if (!oid.startsWith("shallow")) throw notGit(place);
  }
  if (refs.size > 0) {
    assertShallow(features, place);
    if (!features.has("side-band-64k")) throw unsupported(place, 'its fetch lacks "side-band-64k"');
  }
  // git says `allow-reachable-sha1-in-want` also for allowAnySHA1InWant; the other word is what protocol-capabilities(5) has.
  const byId = features.has("allow-reachable-sha1-in-want") || features.has("allow-any-sha1-in-want");
  const single = features.has("filter") && byId;
  return { version: 0, single, features, refs };
}

function assertSha1(format: string | undefined, place: string): void {
  if (format === undefined || format === "sha1") return;
  throw unsupported(place, `its objects have ${format} ids; only sha1 is supported`);
}

function assertShallow(features: ReadonlySet<string>, place: string): void {
  if (!features.has("shallow")) throw unsupported(place, 'its fetch lacks "shallow"');
}

function notGit(place: string): GitspanError {
  return new GitspanError("git-protocol", `${place} does not answer as a Git server does`, {
    hint: "check that the URL is that of a Git repository and that no proxy changes the answers",
  });
}

function unsupported(place: string, why: string): GitspanError {
  return new GitspanError("git-unsupported", `${place} cannot be used: ${why}`, {
    hint: "docs/git.md says what a server has to offer",
  });
}
